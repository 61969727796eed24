import { z } from 'zod'
import { DetectedBox } from '../../engine/protocol.ts'
import { type CallTable, Count, FilePath, Id, LibraryUrl, nothing, Sha256, TaskName } from './shared.ts'
import { Drawing, Drawn } from './studio.ts'

/** A picture that was taken into the library. */
export const LibraryPicture = z.strictObject({ picture: Sha256, url: LibraryUrl, thumbnail: LibraryUrl, width: Count, height: Count })
export type LibraryPicture = z.infer<typeof LibraryPicture>

/** A picture to work on: one that was taken in, or one that the studio made. */
const PictureSource = z.union([z.strictObject({ picture: Sha256 }), z.strictObject({ generation: Id })])

/** A file's bytes. */
const Base64 = z.base64().min(4).max(2 ** 26)

export { DetectedBox }

export const REPAIR_CALLS = {
  /** Takes in a picture that was dropped or chosen where the page has its bytes but no path. Fails with `picture.malformed`. */
  'pictures.import': { args: z.strictObject({ name: z.string().min(1).max(300), base64: Base64 }), result: LibraryPicture },
  /**
   * Draws the masked part of a picture anew; the k-th variant has the seed `seed + k`. A task: `done` counts steps of all variants.
   * Each is told of by `studio.picture` as soon as it is there, and stays when the task is cancelled. The source is never changed.
   */
  'studio.repair': {
    args: z.strictObject({
      ...Drawing,
      source: PictureSource,
      /** A PNG of the picture's proportions: white is drawn anew. */
      mask: Base64,
      prompt: z.string().max(10_000),
      /** How far from the picture to go: 1 draws from noise alone, 0 changes nothing. */
      strength: z.number().min(0).max(1).default(0.75),
      /** How far the mask's edge fades in, in pixels of the picture, inwards: outside the mask nothing ever changes. */
      feather: z.number().min(0).max(1000).default(8),
      /** How far around the mask the model sees, in the mask's longer sides; null for the whole picture. */
      context: z.number().min(0).max(100).nullable().default(1),
      task: TaskName,
    }),
    result: Drawn,
  },
  /** What a detector of the YOLO kind (an ONNX file) finds, surest first, in the picture's pixels. A task. */
  'studio.detectHands': {
    args: z.strictObject({ source: PictureSource, detector: FilePath, confidence: z.number().min(0).max(1).default(0.3), task: TaskName }),
    result: z.strictObject({ boxes: z.array(DetectedBox) }),
  },
  /** The file of the detector that worked last; null before there was one. */
  'studio.detector': { args: nothing, result: z.strictObject({ path: z.string().nullable() }) },
} as const satisfies CallTable
