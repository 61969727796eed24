import { z } from 'zod'
import { type CallTable, Count, FilePath, Id, LibraryUrl, Name, nothing, TaskName, Timestamp } from './shared.ts'

/** A collection of captioned pictures. */
export const Dataset = z.strictObject({
  id: Id,
  name: z.string(),
  createdAt: Timestamp,
  images: Count,
  /** A small picture. */
  cover: LibraryUrl.nullable(),
})

const ImageId = z.int().positive()

export const DatasetImage = z.strictObject({
  id: ImageId,
  /** Of the file that it came from. */
  name: z.string(),
  caption: z.string(),
  width: Count,
  height: Count,
  url: LibraryUrl,
  thumbnail: LibraryUrl,
})

/** A change to many captions at once. Tags are what stands between commas. */
export const CaptionEdit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('replace'), find: z.string().min(1).max(1000), replace: z.string().max(1000) }),
  z.strictObject({ kind: z.literal('add-tag'), tag: z.string().min(1).max(1000), place: z.enum(['front', 'back']) }),
  z.strictObject({ kind: z.literal('remove-tag'), tag: z.string().min(1).max(1000) }),
  z.strictObject({ kind: z.literal('set'), caption: z.string().max(20_000) }),
])

/** A size that training would cut pictures to. */
export const Bucket = z.strictObject({
  width: Count,
  height: Count,
  images: Count,
  /** Pictures that are smaller than the size, and so are enlarged. */
  enlarged: Count,
  /** Mean share of the pictures' areas that is cut away, 0 to 1. */
  cropped: z.number(),
  examples: z.array(DatasetImage),
})

export type Dataset = z.infer<typeof Dataset>
export type DatasetImage = z.infer<typeof DatasetImage>
export type CaptionEdit = z.infer<typeof CaptionEdit>
export type Bucket = z.infer<typeof Bucket>

const Skipped = z.array(z.strictObject({ name: z.string(), reason: z.string() }))
const one = z.strictObject({ id: Id })
const ImageIds = z.array(ImageId).min(1).max(100_000)

export const DATASET_CALLS = {
  'datasets.list': { args: nothing, result: z.array(Dataset) },
  'datasets.create': { args: z.strictObject({ name: Name }), result: Dataset },
  'datasets.rename': { args: z.strictObject({ id: Id, name: Name }), result: Dataset },
  /** Into the bin. */
  'datasets.remove': { args: one, result: nothing },
  /**
   * Takes copies of the pictures among files and in folders, with the .txt captions beside them. What cannot be used is named in
   * `skipped`; `known` counts pictures that were in the dataset already, to the byte. A task.
   */
  'datasets.import': {
    args: z.strictObject({ id: Id, paths: z.array(FilePath).min(1).max(20_000), task: TaskName }),
    result: z.strictObject({ added: Count, known: Count, captions: Count, skipped: Skipped }),
  },
  /** A page of images by name; `search` looks into names and captions. */
  'datasets.images': {
    args: z.strictObject({
      id: Id, search: z.string().max(1000).default(''), offset: Count.default(0), limit: z.int().min(1).max(1000).default(200),
    }),
    result: z.strictObject({ total: Count, images: z.array(DatasetImage) }),
  },
  'datasets.setCaption': { args: z.strictObject({ image: ImageId, caption: z.string().max(20_000) }), result: DatasetImage },
  /** As one edit that `datasets.undoEdit` takes back. Of all images, or of `only` these; `preview` changes nothing. */
  'datasets.editCaptions': {
    args: z.strictObject({ id: Id, edit: CaptionEdit, only: ImageIds.optional(), preview: z.boolean().default(false) }),
    result: z.strictObject({
      /** Names the edit; null for a preview, and where nothing changed. */
      edit: Id.nullable(),
      changed: Count,
      examples: z.array(z.strictObject({ name: z.string(), before: z.string(), after: z.string() })),
    }),
  },
  /** Captions that were edited again since stay. */
  'datasets.undoEdit': { args: z.strictObject({ edit: Id }), result: z.strictObject({ changed: Count }) },
  /** The most frequent first. */
  'datasets.tags': { args: one, result: z.array(z.strictObject({ tag: z.string(), count: Count })) },
  /** From the .txt files of a folder, for the images whose names fit; one edit. A task. */
  'datasets.importCaptions': {
    args: z.strictObject({ id: Id, folder: FilePath, task: TaskName }),
    result: z.strictObject({ changed: Count, edit: Id.nullable(), skipped: Skipped }),
  },
  /** One .txt file per image into a folder. A task. */
  'datasets.exportCaptions': {
    args: z.strictObject({ id: Id, folder: FilePath, task: TaskName }),
    result: z.strictObject({ written: Count }),
  },
  /** Takes images out; `datasets.restoreImages` puts them back. */
  'datasets.removeImages': { args: z.strictObject({ images: ImageIds }), result: nothing },
  'datasets.restoreImages': { args: z.strictObject({ images: ImageIds }), result: z.strictObject({ restored: Count }) },
  /** Groups that look alike; `distance` is how many of 64 bits may differ: 0 the same at a glance, 10 similar. A task. */
  'datasets.lookalikes': {
    args: z.strictObject({ id: Id, distance: z.int().min(0).max(16).default(4), task: TaskName }),
    result: z.strictObject({ groups: z.array(z.array(DatasetImage)) }),
  },
  /** How training would cut the pictures: only sizes that some picture has. */
  'datasets.buckets': {
    args: z.strictObject({
      id: Id,
      resolution: z.int().min(8).max(8192).default(512),
      /** What sizes are multiples of: 64 for Stable Diffusion. */
      granularity: z.int().min(1).max(1024).default(64),
      largestAspect: z.number().min(1).max(8).default(2),
    }),
    result: z.strictObject({ buckets: z.array(Bucket) }),
  },
  /** Keeps the dataset as it is now, as training does by itself; the folder holds pictures and caption files. A task. */
  'datasets.freeze': {
    args: z.strictObject({ id: Id, task: TaskName }),
    result: z.strictObject({ version: Count, folder: z.string(), images: Count }),
  },
  /** Oldest first. */
  'datasets.versions': {
    args: one,
    result: z.array(z.strictObject({ version: Count, images: Count, madeAt: Timestamp })),
  },
} as const satisfies CallTable
