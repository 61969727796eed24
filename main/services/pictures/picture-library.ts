import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import { MOST_BYTES } from '../../engine/pictures/untrusted-picture.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { insertPicture, readPicture, type StoredPicture } from '../../store/pictures.ts'
import { exists, keepBytes, sha256Of, unreadable } from '../content-files.ts'
import { readPictureFacts } from './read-picture.ts'

/** The library's file of a picture's thumbnail. */
export function thumbnailFile(sha256: string): string {
  return `thumbnails/${sha256}.webp`
}

/** The pictures that the library keeps: each file once, by its content, with a thumbnail beside it. */
export class PictureLibrary {
  readonly #database: LibraryDatabase
  readonly #folder: string

  constructor(database: LibraryDatabase, folder: string) {
    this.#database = database
    this.#folder = folder
  }

  /**
   * Takes a copy of a picture file, byte for byte. Throws `file.missing`, `file.unreadable`, `picture.malformed` for what is no
   * picture, and `file.unwritable`.
   */
  async take(path: string): Promise<StoredPicture> {
    return this.takeBytes(await readPictureFile(path), basename(path))
  }

  /** @param name of the file, for messages */
  async takeBytes(bytes: Uint8Array, name: string): Promise<StoredPicture> {
    const sha256 = sha256Of(bytes)
    const known = readPicture(this.#database, sha256)
    if (known !== undefined && (await exists(this.path(known.file))) && (await exists(this.path(thumbnailFile(sha256))))) return known
    const { format, width, height, perceptualHash, thumbnail } = await readPictureFacts(bytes, name)
    const file = `pictures/${sha256}.${format}`
    await keepBytes(this.path(file), bytes)
    await keepBytes(this.path(thumbnailFile(sha256)), thumbnail)
    // Files first: a file without a row is found again, a row without a file would be a lie.
    const picture = { sha256, file, bytes: bytes.length, width, height, perceptualHash, addedAt: new Date().toISOString() }
    insertPicture(this.#database, picture)
    return picture
  }

  /** Where a file of the library lies. */
  path(file: string): string {
    return join(this.#folder, ...file.split('/'))
  }
}

async function readPictureFile(path: string): Promise<Uint8Array> {
  try {
    const facts = await stat(path)
    if (!facts.isFile()) throw new HalfstepError('file.unreadable', `${path} is no file.`, 'Choose a picture.', { file: path })
    if (facts.size > MOST_BYTES) {
      throw new HalfstepError('file.unreadable', `${path} is larger than ${MOST_BYTES / 2 ** 20} MiB.`, 'Scale it down.', { file: path })
    }
    return await readFile(path)
  } catch (error) {
    throw error instanceof HalfstepError ? error : unreadable(path, error)
  }
}
