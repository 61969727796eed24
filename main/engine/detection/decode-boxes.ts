import type { FloatTensor } from '../tensor/tensor.ts'
import type { Letterbox } from './letterbox.ts'
import type { PictureSize } from '../pictures/picture-file.ts'

/** Something that was found. In pixels, not rounded. */
export interface FoundBox {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** 0 … 1 */
  readonly score: number
  /** Index of the class. */
  readonly kind: number
}

/**
 * How a detector writes what it found:
 * - `columns`, [1, 4 + classes, n] (YOLO 8, 11 and their kind): centre x, centre y, width, height, then a score for each class
 * - `rows`, [1, n, 6] (YOLO 10, 26: overlaps already removed): left, top, right, bottom, score, class
 */
export type BoxLayout = 'columns' | 'rows'

/** The layout of an output by its shape; undefined for one that is neither. */
export function layoutOf([batch, a = 0, b = 0, ...rest]: readonly number[]): BoxLayout | undefined {
  if (batch !== 1 || rest.length > 0) return undefined
  if (b === 6) return 'rows'
  return a >= 5 && b > a ? 'columns' : undefined
}

/** What has a score of `least` or more, in the frame's pixels. @param classes scores after the box; all that follow by default */
export function decodeBoxes(output: FloatTensor, layout: BoxLayout, least: number, classes?: number): FoundBox[] {
  const boxes = layout === 'rows' ? decodeRows(output, least) : decodeColumns(output, least, classes)
  return boxes.filter((box) => Object.values(box).every(Number.isFinite))
}

function decodeRows({ data, shape: [, count = 0] }: FloatTensor, least: number): FoundBox[] {
  return Array.from({ length: count }, (_, row): FoundBox => {
    const [left = 0, top = 0, right = 0, bottom = 0, score = 0, kind = 0] = data.subarray(6 * row, 6 * row + 6)
    return { left, top, width: right - left, height: bottom - top, score, kind }
  }).filter(({ score }) => score >= least)
}

function decodeColumns({ data, shape: [, lines = 0, count = 0] }: FloatTensor, least: number, classes = Infinity): FoundBox[] {
  const boxes: FoundBox[] = []
  for (let i = 0; i < count; i++) {
    const scoreOf = (line: number): number => data[(4 + line) * count + i]!
    let kind = 0
    for (let other = 1; other < Math.min(classes, lines - 4); other++) if (scoreOf(other) > scoreOf(kind)) kind = other
    const score = scoreOf(kind)
    if (score < least) continue
    const [x, y, width, height] = [0, 1, 2, 3].map((line) => data[line * count + i]!) as [number, number, number, number]
    boxes.push({ left: x - width / 2, top: y - height / 2, width, height, score, kind })
  }
  return boxes
}

/** The best of boxes that overlap by more than `most` of their union, best first, whatever their classes. */
export function withoutOverlaps(boxes: readonly FoundBox[], most: number): FoundBox[] {
  const kept: FoundBox[] = []
  for (const box of boxes.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((better) => intersectionOverUnion(better, box) <= most)) kept.push(box)
  }
  return kept
}

/** |A ∩ B| / |A ∪ B| */
export function intersectionOverUnion(a: FoundBox, b: FoundBox): number {
  const wide = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left)
  const high = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top)
  if (wide <= 0 || high <= 0) return 0
  return (wide * high) / (a.width * a.height + b.width * b.height - wide * high)
}

/** Boxes of the frame in the picture's own pixels, cut off at its border; what lies outside altogether is left out. */
export function inPicture(boxes: readonly FoundBox[], { scale, left, top }: Letterbox, picture: PictureSize): FoundBox[] {
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value))
  return boxes.flatMap((box) => {
    const x = within((box.left - left) / scale, picture.width)
    const y = within((box.top - top) / scale, picture.height)
    const width = within((box.left + box.width - left) / scale, picture.width) - x
    const height = within((box.top + box.height - top) / scale, picture.height) - y
    return width >= 1 && height >= 1 ? [{ ...box, left: x, top: y, width, height }] : []
  })
}
