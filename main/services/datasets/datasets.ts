import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { HalfstepError, toErrorValue } from '../../engine/errors.ts'
import { discard } from '../../store/bin.ts'
import { undoCaptions, writeCaptions, type NewCaption } from '../../store/captions.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import {
  insertImage, readImage, readImagePage, readImages, removeImages, restoreImages, type DatasetImage,
} from '../../store/dataset-images.ts'
import { insertDataset, readDataset, readDatasets, readVersions, renameDataset, type DatasetVersion } from '../../store/datasets.ts'
import type { Engine } from '../engine.ts'
import { required } from '../not-found.ts'
import type { PictureLibrary } from '../pictures/picture-library.ts'
import type { ServiceBus } from '../service-events.ts'
import type { Task } from '../tasks.ts'
import { oneLine, readCaptionBeside, stemOf, writeCaption } from './caption-files.ts'
import { bucketsOf, type Bucket, type BucketRules } from './dataset-buckets.ts'
import { datasetView, imageView, type DatasetView, type ImageView } from './dataset-views.ts'
import { countTags, editCaption, type CaptionEdit } from './edit-captions.ts'
import { findLookalikes } from './find-lookalikes.ts'
import { freezeDataset } from './freeze-dataset.ts'
import { filesToImport, type ImportedFile, type SkippedFile } from './import-list.ts'

/** What came of an import. */
export interface ImportReport {
  readonly added: number
  /** Pictures that were in the dataset already, to the byte. */
  readonly known: number
  readonly captions: number
  readonly skipped: SkippedFile[]
}

/** What an edit of many captions changes. */
export interface EditReport {
  /** Names the edit for `undoEdit`; null for a look at what would change, and where nothing did. */
  readonly edit: string | null
  readonly changed: number
  /** Some of the changes. */
  readonly examples: { readonly name: string; readonly before: string; readonly after: string }[]
}

/** Which images are shown. */
export interface ImagePage {
  /** In names and captions; empty for all. */
  readonly search: string
  readonly offset: number
  readonly limit: number
}

/** Which images an edit is for. */
export interface EditScope {
  /** All of the dataset unless given. */
  readonly only?: readonly number[] | undefined
  /** Whether it only tells what would change. */
  readonly preview: boolean
}

/** Examples in a report. */
const MOST_EXAMPLES = 20

/** The person's collections of captioned pictures. */
export class DatasetService {
  readonly #database: LibraryDatabase
  readonly #engine: Engine
  readonly #pictures: PictureLibrary
  readonly #bus: ServiceBus

  constructor(database: LibraryDatabase, engine: Engine, pictures: PictureLibrary, bus: ServiceBus) {
    this.#database = database
    this.#engine = engine
    this.#pictures = pictures
    this.#bus = bus
  }

  list(): DatasetView[] {
    return readDatasets(this.#database).map(datasetView)
  }

  /** Throws `library.missing`. */
  get(id: string): DatasetView {
    return datasetView(required(readDataset(this.#database, id), 'dataset'))
  }

  create(name: string): DatasetView {
    const id = randomUUID()
    insertDataset(this.#database, id, name, new Date().toISOString())
    return this.#changed(id)
  }

  rename(id: string, name: string): DatasetView {
    this.get(id)
    renameDataset(this.#database, id, name)
    return this.#changed(id)
  }

  /** Into the bin. */
  remove(id: string): void {
    this.get(id)
    discard(this.#database, 'datasets', id)
    this.#tell()
  }

  /**
   * Takes copies of pictures into a dataset, with the captions beside them. What cannot be used is named, and the rest goes on;
   * what was taken before a cancellation stays.
   * @param paths files and folders
   */
  async import(id: string, paths: readonly string[], task: Task): Promise<ImportReport> {
    this.get(id)
    const { files, skipped } = await filesToImport(paths)
    const captions: NewCaption[] = []
    const report = { added: 0, known: 0, captions: 0, skipped }
    let done = 0
    const take = async ({ folder, name }: ImportedFile): Promise<void> => {
      try {
        const { sha256 } = await this.#pictures.take(join(folder, name))
        const image = insertImage(this.#database, id, sha256, name)
        if (image === undefined) report.known++
        else {
          report.added++
          const caption = await readCaptionBeside(folder, name)
          if (caption !== undefined) captions.push({ image, caption })
        }
      } catch (error) {
        const { code, message } = toErrorValue(error)
        // A disk that refuses refuses all the others as well.
        if (code === 'file.unwritable' || code === 'internal') throw error
        skipped.push({ name, reason: message })
      }
      task.progress(++done, files.length, name)
    }
    try {
      await eachOf(files, availableParallelism(), async (file) => {
        task.check()
        await take(file)
      })
    } finally {
      writeCaptions(this.#database, randomUUID(), captions)
      this.#tell()
    }
    return { ...report, captions: captions.length }
  }

  /** A page of a dataset's images by name. */
  images(id: string, page: ImagePage): { total: number; images: ImageView[] } {
    this.get(id)
    const { total, images } = readImagePage(this.#database, { datasetId: id, ...page })
    return { total, images: images.map(imageView) }
  }

  setCaption(image: number, caption: string): ImageView {
    const { datasetId } = this.#image(image)
    writeCaptions(this.#database, randomUUID(), [{ image, caption: oneLine(caption) }])
    this.#changed(datasetId)
    return imageView(this.#image(image))
  }

  /** Changes many captions as one edit, which `undoEdit` takes back. */
  editCaptions(id: string, edit: CaptionEdit, { only, preview }: EditScope): EditReport {
    this.get(id)
    const wanted = only && new Set(only)
    const changes = readImages(this.#database, id)
      .filter((image) => wanted?.has(image.id) ?? true)
      .map(({ id: image, name, caption: before }) => ({ image, name, before, after: editCaption(before, edit) }))
      .filter(({ before, after }) => before !== after)
    const examples = changes.slice(0, MOST_EXAMPLES).map(({ name, before, after }) => ({ name, before, after }))
    if (preview || changes.length === 0) return { edit: null, changed: changes.length, examples }
    const name = randomUUID()
    writeCaptions(this.#database, name, changes.map(({ image, after }) => ({ image, caption: after })))
    this.#tell()
    return { edit: name, changed: changes.length, examples }
  }

  /** Takes back an edit where nothing was edited since. How many captions changed. */
  undoEdit(edit: string): number {
    const changed = undoCaptions(this.#database, edit)
    if (changed > 0) this.#tell()
    return changed
  }

  /** What stands between commas in the captions, the most frequent first. */
  tags(id: string): { readonly tag: string; readonly count: number }[] {
    this.get(id)
    return countTags(readImages(this.#database, id).map(({ caption }) => caption))
  }

  /** Takes the captions of a folder for the images whose names fit. */
  async importCaptions(id: string, folder: string, task: Task): Promise<{ changed: number; edit: string | null; skipped: SkippedFile[] }> {
    const images = readImages(this.#database, this.get(id).id)
    const skipped: SkippedFile[] = []
    const captions: NewCaption[] = []
    for (const [done, { id: image, name, caption: before }] of images.entries()) {
      task.check()
      task.progress(done, images.length, name)
      const caption = await readCaptionBeside(resolve(folder), name).catch((error: unknown) => {
        skipped.push({ name, reason: toErrorValue(error).message })
        return undefined
      })
      if (caption !== undefined && caption !== before) captions.push({ image, caption })
    }
    if (captions.length === 0) return { changed: 0, edit: null, skipped }
    const edit = randomUUID()
    writeCaptions(this.#database, edit, captions)
    this.#tell()
    return { changed: captions.length, edit, skipped }
  }

  /**
   * Writes every caption as a .txt file into a folder, named like its picture. Throws `file.unwritable`, and `library.in-use` where
   * two images would need the same file.
   */
  async exportCaptions(id: string, folder: string, task: Task): Promise<number> {
    const images = readImages(this.#database, this.get(id).id)
    const names = new Set<string>()
    for (const { name } of images) {
      const stem = stemOf(name).toLowerCase()
      if (names.has(stem)) {
        const message = `Two images are called ${stemOf(name)}, so their captions would be one file.`
        throw new HalfstepError('library.in-use', message, 'Remove one of them, or export the dataset with its pictures.', { name })
      }
      names.add(stem)
    }
    for (const [done, { name, caption }] of images.entries()) {
      task.check()
      await writeCaption(resolve(folder), stemOf(name), caption)
      task.progress(done + 1, images.length, name)
    }
    return images.length
  }

  /** Takes images out; `restoreImages` puts them back. */
  removeImages(ids: readonly number[]): void {
    removeImages(this.#database, ids)
    this.#tell()
  }

  /** How many came back: pictures that were added anew meanwhile stay out. */
  restoreImages(ids: readonly number[]): number {
    const restored = restoreImages(this.#database, ids)
    this.#tell()
    return restored
  }

  /** Groups of images that look alike. @param distance bits of 64 that may differ: 0 the same at a glance, 10 similar */
  async lookalikes(id: string, distance: number, task: Task): Promise<ImageView[][]> {
    const images = readImages(this.#database, this.get(id).id)
    const groups = await findLookalikes(images.map(({ perceptualHash }) => perceptualHash), distance, (done) => {
      task.check()
      task.progress(done, images.length)
    })
    return groups.map((group) => group.map((place) => imageView(images[place]!)))
  }

  /** How training would cut the images. Throws `recipe.impossible` for sizes that cannot be. */
  buckets(id: string, rules: BucketRules): Promise<Bucket[]> {
    this.get(id)
    return bucketsOf(this.#database, this.#engine, id, rules)
  }

  /** The dataset as it is now, as a folder that never changes. @returns its absolute path */
  async freeze(id: string): Promise<{ readonly version: number; readonly folder: string; readonly images: number }> {
    this.get(id)
    const { version, folder, images } = await freezeDataset(this.#database, this.#pictures, id)
    return { version, folder: this.#pictures.path(folder), images }
  }

  /** Oldest first. */
  versions(id: string): DatasetVersion[] {
    this.get(id)
    return readVersions(this.#database, id)
  }

  #image(id: number): DatasetImage & { readonly datasetId: string } {
    return required(readImage(this.#database, id), 'image')
  }

  #changed(id: string): DatasetView {
    this.#tell()
    return this.get(id)
  }

  #tell(): void {
    this.#bus.emit('library.changed', { area: 'datasets' })
  }
}

/** Does something with every item, several at a time; the first failure ends it, once what was begun has ended. */
async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  let failed = false
  const worker = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const item = items[next++]!
      await work(item).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.max(1, atOnce) }, worker))
  const failure = ends.find((end) => end.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}
