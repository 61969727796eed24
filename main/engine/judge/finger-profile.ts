import { labAt, labDistance } from './lab.ts'
import { median, SKIN_TOLERANCE, type Point, type Segments } from './segment.ts'

/** What one sees along a finger from the palm to the tip, and across it. Lengths in pixels. */
export interface FingerProfile {
  /** The middle of the widths where it stands alone; null where that is too short to tell. */
  readonly width: number | null
  /** The share of its middle line that has neither the skin's colour nor a nail's. */
  readonly discoloured: number
  /** How many pixels of it are lighter than the skin, as nails are. */
  readonly lightened: number
  /**
   * The steepest change of contrast across its edges, per pixel, at its sharpest tenth: up to 1 for a sharp edge, and 0.4 / σ for
   * one blurred by σ pixels. Not the median, because fingers with outlines may touch along most of their length.
   */
  readonly sharpness: number
}

/** Pixels between measurements along a finger. */
const STEP = 0.5

/** Nothing that is wider than this on one side of its middle line is measured on. */
const WIDEST = 9

/**
 * Follows a finger's middle line.
 * @param towards from the palm's centre to the tip, of length 1
 * @param from where the finger begins, @param alone from where on it touches no other, @param to its tip: distances from the centre
 */
export function profileOf(segments: Segments, towards: Point, from: number, alone: number, to: number): FingerProfile {
  const { centre } = segments.palm
  const across: Point = { x: -towards.y, y: towards.x }
  const widths: number[] = []
  const slopes: number[] = []
  let [seen, discoloured, lightened] = [0, 0, 0]
  // The very tip is left out, where a pixel is partly background in any drawing.
  for (let radius = from; radius <= to - 1.5; radius += STEP) {
    const point = { x: centre.x + radius * towards.x, y: centre.y + radius * towards.y }
    seen++
    const pixel = Math.round(point.y) * segments.width + Math.round(point.x)
    if (segments.strangeness[pixel]! > SKIN_TOLERANCE) discoloured++
    else if (labDistance(labAt(segments.lab, pixel), segments.skin) > SKIN_TOLERANCE * segments.separation) lightened++
    const sides = [edgeFrom(segments, point, across), edgeFrom(segments, point, { x: -across.x, y: -across.y })] as const
    slopes.push(Math.max(sides[0].slope, sides[1].slope))
    // The round end is narrower than the finger.
    if (radius >= alone && radius <= to - 3) widths.push(sides[0].distance + sides[1].distance)
  }
  return {
    width: widths.length < 3 ? null : median(widths),
    discoloured: seen === 0 ? 1 : discoloured / seen,
    lightened: lightened * STEP,
    sharpness: topTenth(slopes),
  }
}

function topTenth(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(0.9 * values.length)] ?? 0
}

/** From a point of the middle line outwards: where the figure ends, and the steepest fall of contrast per pixel up to a little behind. */
function edgeFrom(segments: Segments, from: Point, towards: Point): { distance: number; slope: number } {
  const at = (distance: number): number => contrastAt(segments, { x: from.x + distance * towards.x, y: from.y + distance * towards.y })
  let distance = 0
  while (distance < WIDEST && inBody(segments, from, towards, distance)) distance += STEP
  let slope = 0
  for (let d = Math.max(0, distance - 2); d <= distance + 2; d += STEP) slope = Math.max(slope, at(d) - at(d + 1))
  return { distance, slope }
}

function inBody({ body: { width, data } }: Segments, from: Point, towards: Point, distance: number): boolean {
  const [x, y] = [Math.round(from.x + distance * towards.x), Math.round(from.y + distance * towards.y)]
  return x >= 0 && x < width && data[y * width + x] === 1
}

/** Contrast between the pixels, at most 1, by bilinear interpolation; 0 outside the picture. */
function contrastAt({ contrast, width, height }: Segments, { x, y }: Point): number {
  const [left, top] = [Math.floor(x), Math.floor(y)]
  if (left < 0 || top < 0 || left + 1 >= width || top + 1 >= height) return 0
  const [right, below] = [x - left, y - top]
  const value = (column: number, row: number): number => Math.min(1, contrast[(top + row) * width + left + column]!)
  return (value(0, 0) * (1 - right) + value(1, 0) * right) * (1 - below) + (value(0, 1) * (1 - right) + value(1, 1) * right) * below
}
