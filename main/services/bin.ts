import { rm } from 'node:fs/promises'
import { HalfstepError } from '../engine/errors.ts'
import { isAdapterContentUsed, readAdapter } from '../store/adapters.ts'
import { bringBack, deleteForGood, readBin, type BinTable } from '../store/bin.ts'
import type { LibraryDatabase } from '../store/database.ts'
import { deleteRemovedImages, readPicturesOfDataset } from '../store/dataset-images.ts'
import { readGeneration } from '../store/generations.ts'
import { deletePicture, isPictureUsed, readPicture } from '../store/pictures.ts'
import { readRun } from '../store/runs.ts'
import { thumbnailFile, type PictureLibrary } from './pictures/picture-library.ts'
import type { LibraryArea, ServiceBus } from './service-events.ts'
import type { Task } from './tasks.ts'

/** Something that was removed and can be brought back. */
export interface BinItem {
  readonly area: LibraryArea
  readonly id: string
  readonly name: string
  readonly deletedAt: string
}

const TABLES: Readonly<Record<LibraryArea, BinTable>> = {
  models: 'models',
  runs: 'runs',
  adapters: 'adapters',
  generations: 'generations',
  prompts: 'prompt_sets',
  templates: 'templates',
  datasets: 'datasets',
  rewards: 'rewards',
}
const AREAS = new Map(Object.entries(TABLES).map(([area, table]) => [table, area as LibraryArea]))

/** What was removed from the library, until it is brought back or the bin is emptied. */
export class BinService {
  readonly #database: LibraryDatabase
  readonly #pictures: PictureLibrary
  readonly #bus: ServiceBus

  constructor(database: LibraryDatabase, pictures: PictureLibrary, bus: ServiceBus) {
    this.#database = database
    this.#pictures = pictures
    this.#bus = bus
  }

  /** Latest first. */
  list(): BinItem[] {
    return readBin(this.#database).map(({ table, ...item }) => ({ ...item, area: AREAS.get(table)! }))
  }

  /** Throws `library.in-use` when something else has taken its place. */
  restore(area: LibraryArea, id: string): void {
    try {
      bringBack(this.#database, TABLES[area], id)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT'))) throw error
      throw new HalfstepError('library.in-use', 'The same was added again meanwhile.', 'Remove the newer one first.')
    }
    this.#bus.emit('library.changed', { area })
  }

  /** Forgets everything in the bin for good, with its files where nothing else needs them. How many things there were. */
  async empty(task: Task): Promise<number> {
    const items = this.list()
    for (const [done, { area, id, name }] of items.entries()) {
      task.check()
      task.progress(done, items.length, name)
      await this.#forget(area, id)
    }
    for (const sha256 of deleteRemovedImages(this.#database)) await this.#forgetPicture(sha256)
    for (const area of new Set(items.map((item) => item.area))) this.#bus.emit('library.changed', { area })
    return items.length
  }

  /** Rows first: a file without a row is found again, a row without a file would be a lie. */
  async #forget(area: LibraryArea, id: string): Promise<void> {
    const database = this.#database
    const forget = (): boolean => deleteForGood(database, TABLES[area], id)
    switch (area) {
      case 'runs': {
        const run = readRun(database, id)
        if (forget() && run !== undefined) await this.#removeFile(run.folder)
        return
      }
      case 'adapters': {
        const adapter = readAdapter(database, id)
        if (!forget() || adapter === undefined) return
        if (!isAdapterContentUsed(database, adapter.sha256)) await this.#removeFile(adapter.file)
        if (adapter.preview !== null) await this.#forgetPicture(adapter.preview)
        return
      }
      case 'generations': {
        const generation = readGeneration(database, id)
        if (!forget() || generation === undefined) return
        await this.#forgetPicture(generation.picture)
        if (generation.source !== null) await this.#forgetPicture(generation.source)
        return
      }
      case 'datasets': {
        const pictures = readPicturesOfDataset(database, id)
        if (!forget()) return
        await this.#removeFile(`datasets/${id}`)
        for (const sha256 of pictures) await this.#forgetPicture(sha256)
        return
      }
      default:
        forget()
    }
  }

  async #forgetPicture(sha256: string): Promise<void> {
    const picture = readPicture(this.#database, sha256)
    if (picture === undefined || isPictureUsed(this.#database, sha256)) return
    deletePicture(this.#database, sha256)
    await this.#removeFile(picture.file)
    await this.#removeFile(thumbnailFile(sha256))
  }

  /** What cannot be removed now is a stray that `library verify` names. */
  async #removeFile(file: string): Promise<void> {
    await rm(this.#pictures.path(file), { recursive: true, force: true }).catch(() => undefined)
  }
}
