import { readSource } from '../inpainting/source-picture.ts'
import type { DetectedBox, EngineJobs } from '../protocol.ts'
import { decodeBoxes, inPicture, withoutOverlaps, type FoundBox } from './decode-boxes.ts'
import { impossibleDetector, openDetector } from './detector.ts'
import { letterboxed, letterboxOf } from './letterbox.ts'

/** Boxes that share more than this of their union are one thing. */
const MOST_OVERLAP = 0.45

/** More proposals than a person looks through. */
const MOST_BOXES = 50

/**
 * What a detector finds in a picture, surest first, in the picture's pixels.
 * Throws `file.*`, `picture.malformed`, `onnx.malformed` and `recipe.impossible`, naming the file.
 */
export async function findBoxes({ detector: path, picture, confidence }: EngineJobs['picture.detect']['request']): Promise<DetectedBox[]> {
  const source = await readSource(picture)
  const detector = await openDetector(path)
  try {
    const { frame, names } = detector
    const { output, layout } = await detector.detect(await letterboxed(source, frame))
    const found = decodeBoxes(output, layout, confidence, names.length === 0 ? undefined : names.length)
    requireProbabilities(found, path)
    const boxes = inPicture(withoutOverlaps(found, MOST_OVERLAP), letterboxOf(source, frame), source)
    return boxes.slice(0, MOST_BOXES).map(({ kind, left, top, width, height, score }) => ({
      left: Math.floor(left),
      top: Math.floor(top),
      width: Math.max(1, Math.min(source.width, Math.ceil(left + width)) - Math.floor(left)),
      height: Math.max(1, Math.min(source.height, Math.ceil(top + height)) - Math.floor(top)),
      score,
      label: names[Math.round(kind)] || null,
    }))
  } finally {
    await detector.dispose()
  }
}

/** Models exported without their last step give scores of any size, which no threshold fits. */
function requireProbabilities(found: readonly FoundBox[], path: string): void {
  const largest = found.reduce((most, { score }) => Math.max(most, score), 0)
  if (largest <= 1) return
  const cause = `its scores reach ${largest.toPrecision(3)}, where probabilities from 0 to 1 are needed`
  throw impossibleDetector(path, cause, 'Export it with the sigmoid over its classes, as YOLO’s own exporter does.')
}
