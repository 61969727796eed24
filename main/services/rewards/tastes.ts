import { HalfstepError } from '../../engine/errors.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readRecentPictures } from '../../store/generations.ts'
import { readPicture } from '../../store/pictures.ts'
import { addRating, countRatings, readRatings, removeLatestRating, type Preference } from '../../store/ratings.ts'
import { libraryUrl } from '../library-files.ts'
import { required } from '../not-found.ts'
import { thumbnailFile } from '../pictures/picture-library.ts'
import { nextPair } from './next-pair.ts'

/** Older ones are not asked about. */
const MOST_PICTURES = 400

/** A picture that is put beside another. */
export interface RatedPicture {
  /** Names it in `rate`. */
  readonly picture: string
  readonly url: string
  readonly thumbnail: string
}

/** What a person likes, asked two pictures at a time. */
export class TasteService {
  readonly #database: LibraryDatabase

  constructor(database: LibraryDatabase) {
    this.#database = database
  }

  /** Tastes that have ratings, and how many. */
  list(): { readonly taste: string; readonly ratings: number }[] {
    return countRatings(this.#database)
  }

  /** Two pictures of the studio that were not put beside each other yet, the least asked about first; null when none are left. */
  next(taste: string): { readonly left: RatedPicture; readonly right: RatedPicture } | null {
    const pair = nextPair(readRecentPictures(this.#database, MOST_PICTURES), readRatings(this.#database, taste))
    return pair && { left: this.#view(pair[0]), right: this.#view(pair[1]) }
  }

  /** Throws `library.missing` for pictures that are gone, and `usage` for a picture beside itself. */
  rate(taste: string, left: string, right: string, preferred: Preference): void {
    for (const picture of [left, right]) required(readPicture(this.#database, picture), 'picture')
    if (left === right) throw new HalfstepError('usage', 'A picture cannot be compared with itself.', 'Choose two pictures.')
    addRating(this.#database, taste, { left, right, preferred })
  }

  /** Takes back the latest rating; whether there was one. */
  undo(taste: string): boolean {
    return removeLatestRating(this.#database, taste)
  }

  #view(sha256: string): RatedPicture {
    const { file } = required(readPicture(this.#database, sha256), 'picture')
    return { picture: sha256, url: libraryUrl(file), thumbnail: libraryUrl(thumbnailFile(sha256)) }
  }
}
