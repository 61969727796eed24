import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { extname } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import type { TasteAccuracy } from '../../engine/protocol.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readImages } from '../../store/dataset-images.ts'
import { readDataset } from '../../store/datasets.ts'
import { readRecentPictures } from '../../store/generations.ts'
import { readPicture } from '../../store/pictures.ts'
import { addRating, countRatings, readRatings, removeLatestRating, type Preference, type Rating } from '../../store/ratings.ts'
import { keepCopy, sha256OfFile, unwritable } from '../content-files.ts'
import type { DeviceService } from '../devices.ts'
import type { Engine } from '../engine.ts'
import { TASTES } from '../library/library-listing.ts'
import { libraryUrl } from '../library-files.ts'
import { required } from '../not-found.ts'
import { type PictureLibrary, thumbnailFile } from '../pictures/picture-library.ts'
import type { Task } from '../tasks.ts'
import { nextPair } from './next-pair.ts'
import type { Reward, RewardService } from './rewards.ts'
import { tasteNotes } from './taste-notes.ts'

/** Older pictures of the studio are not asked about. */
const MOST_PICTURES = 400

/** Where the pictures come from that are put beside each other. */
export type TasteSource = { readonly kind: 'studio' } | { readonly kind: 'dataset'; readonly id: string }

/** A picture that is put beside another. */
export interface RatedPicture {
  /** Names it in `rate`. */
  readonly picture: string
  readonly url: string
  readonly thumbnail: string
}

export interface RatedPair {
  readonly left: RatedPicture
  readonly right: RatedPicture
}

/** How far a taste has come. */
export interface TasteCount {
  readonly taste: string
  /** Pairs that were answered. */
  readonly ratings: number
  /** Of these, answers that preferred a picture. */
  readonly choices: number
}

/** What came of training a taste. */
export interface TrainedTaste {
  readonly reward: Reward
  readonly choices: number
  readonly accuracy: TasteAccuracy
}

export interface TasteParts {
  readonly database: LibraryDatabase
  readonly engine: Engine
  readonly devices: DeviceService
  readonly rewards: RewardService
  readonly pictures: PictureLibrary
}

/** What a person likes: asked two pictures at a time, and learned. */
export class TasteService {
  readonly #parts: TasteParts

  constructor(parts: TasteParts) {
    this.#parts = parts
  }

  /** Tastes that have ratings. */
  list(): TasteCount[] {
    return countRatings(this.#parts.database)
  }

  /** How far a taste has come, also when it has not begun. */
  count(taste: string): TasteCount {
    return this.list().find((known) => known.taste === taste) ?? { taste, ratings: 0, choices: 0 }
  }

  /** The next pairs that were not put beside each other yet, the least asked about first; fewer, or none, when these run out. */
  next(taste: string, source: TasteSource, count: number): RatedPair[] {
    const { database } = this.#parts
    const pictures = this.#picturesOf(source)
    const asked: Pick<Rating, 'left' | 'right'>[] = readRatings(database, taste)
    const pairs: RatedPair[] = []
    while (pairs.length < count) {
      const pair = nextPair(pictures, asked)
      if (pair === null) break
      const [left, right] = pair
      asked.push({ left, right })
      pairs.push(this.#pairOf(left, right))
    }
    return pairs
  }

  /** Throws `library.missing` for pictures that are gone, and `usage` for a picture beside itself. */
  rate(taste: string, left: string, right: string, preferred: Preference): TasteCount {
    const { database } = this.#parts
    for (const picture of [left, right]) required(readPicture(database, picture), 'picture')
    if (left === right) throw new HalfstepError('usage', 'A picture cannot be compared with itself.', 'Choose two pictures.')
    addRating(database, taste, { left, right, preferred })
    return this.count(taste)
  }

  /** Takes back the latest rating: the pair it was about, to be asked again; null when there was none. */
  undo(taste: string): RatedPair | null {
    const { database } = this.#parts
    const latest = readRatings(database, taste).at(-1)
    if (latest === undefined || !removeLatestRating(database, taste)) return null
    return this.#pairOf(latest.left, latest.right)
  }

  /**
   * Learns a taste from all its ratings and keeps it as the reward of that name. Throws `taste.too-few`, `file.missing` for a picture
   * that was removed from the disk, and what opening the CLIP model throws.
   * @param clip a CLIP model to look at pictures through; simple features of Halfstep's own without
   */
  async train(taste: string, clip: string | undefined, task: Task): Promise<TrainedTaste> {
    const { database, engine, devices, pictures } = this.#parts
    const given = readRatings(database, taste)
    const shown = [...new Set(given.flatMap(({ left, right }) => [left, right]))]
    const places = new Map(shown.map((picture, place) => [picture, place]))
    const out = pictures.path(`incoming/${randomUUID()}`)
    await mkdir(out, { recursive: true }).catch((error: unknown) => {
      throw unwritable(out, error)
    })
    try {
      const { device } = await devices.ready()
      const request = {
        pictures: shown.map((picture) => pictures.path(required(readPicture(database, picture), 'picture').file)),
        ratings: given.map(({ left, right, preferred }) => ({ left: places.get(left)!, right: places.get(right)!, preferred })),
        device, out,
        precision: 'float32' as const,
        ...(clip === undefined ? {} : { clip }),
      }
      const { file, choices, accuracy } = await engine.run('studio', 'taste.train', request, {
        signal: task.signal,
        onProgress: ({ done }) => task.progress(done, shown.length, `Picture ${done} of ${shown.length}`),
      })
      const path = await this.#keep(file)
      const spec = clip === undefined ? { kind: 'taste', name: taste, path } : { kind: 'taste', name: taste, path: clip, head: path }
      return { reward: await this.#register(taste, spec, tasteNotes(choices, accuracy, clip !== undefined)), choices, accuracy }
    } finally {
      await rm(out, { recursive: true, force: true })
    }
  }

  /** Named by content: a run that goes on keeps the taste it began with. */
  async #keep(file: string): Promise<string> {
    const path = this.#parts.pictures.path(`${TASTES}/${await sha256OfFile(file)}${extname(file)}`)
    await keepCopy(path, file)
    return path
  }

  #register(taste: string, spec: Reward['spec'], notes: string): Promise<Reward> {
    const { rewards } = this.#parts
    const known = rewards.list().find((reward) => !reward.builtIn && reward.name === taste && reward.spec['kind'] === 'taste')
    return rewards.save({ ...(known && { id: known.id }), name: taste, spec, notes })
  }

  #picturesOf(source: TasteSource): string[] {
    const { database } = this.#parts
    if (source.kind === 'studio') return readRecentPictures(database, MOST_PICTURES)
    required(readDataset(database, source.id), 'dataset')
    return [...new Set(readImages(database, source.id).map(({ picture }) => picture))].slice(0, MOST_PICTURES)
  }

  #pairOf(left: string, right: string): RatedPair {
    return { left: this.#view(left), right: this.#view(right) }
  }

  #view(sha256: string): RatedPicture {
    const { file } = required(readPicture(this.#parts.database, sha256), 'picture')
    return { picture: sha256, url: libraryUrl(file), thumbnail: libraryUrl(thumbnailFile(sha256)) }
  }
}
