import type { PaintMask } from './paint-mask.ts'

/** Farther than any pixel of a picture is from another, squared. */
const FAR = 1e20

/**
 * The mask with an edge that fades in over `radius` pixels, inwards, so that nothing outside what was painted changes:
 *
 *   w(p) = m(p) · min(1, d(p) / (radius + 1))
 *
 * with d the distance of a pixel's centre to the nearest one where m is 0. What lies beyond the picture's border counts as painted:
 * at the border nothing has to be blended with.
 */
export function feathered(mask: PaintMask, radius: number): PaintMask {
  if (radius <= 0) return mask
  const squared = squaredDistances(mask)
  return { ...mask, data: mask.data.map((value, i) => value * Math.min(1, Math.sqrt(squared[i]!) / (radius + 1))) }
}

/**
 * The squared Euclidean distance of each pixel to the nearest one that is kept, exact, in time linear in the pixels: the lower
 * envelope of parabolas, along the columns and then along the rows (Felzenszwalb & Huttenlocher, "Distance Transforms of Sampled
 * Functions", 2012).
 */
function squaredDistances({ width, height, data }: PaintMask): Float64Array {
  const distances = Float64Array.from(data, (value) => (value === 0 ? 0 : FAR))
  const envelope = new Envelope(Math.max(width, height))
  for (let x = 0; x < width; x++) envelope.transform(distances, x, width, height)
  for (let y = 0; y < height; y++) envelope.transform(distances, y * width, 1, width)
  return distances
}

/** One line at a time: f(p) becomes min over q of (p − q)² + f(q). Holds the memory that all lines share. */
class Envelope {
  readonly #values: Float64Array
  /** Where the parabolas of the envelope stand, and where each begins to be the lowest. */
  readonly #places: Int32Array
  readonly #starts: Float64Array

  constructor(longest: number) {
    this.#values = new Float64Array(longest)
    this.#places = new Int32Array(longest)
    this.#starts = new Float64Array(longest + 1)
  }

  transform(numbers: Float64Array, offset: number, stride: number, length: number): void {
    const [values, places, starts] = [this.#values, this.#places, this.#starts]
    for (let i = 0; i < length; i++) values[i] = numbers[offset + i * stride]!
    let last = 0
    places[0] = 0
    starts[0] = -Infinity
    starts[1] = Infinity
    for (let q = 1; q < length; q++) {
      let meeting = this.#meeting(q, places[last]!)
      while (last > 0 && meeting <= starts[last]!) meeting = this.#meeting(q, places[--last]!)
      places[++last] = q
      starts[last] = meeting
      starts[last + 1] = Infinity
    }
    for (let p = 0, k = 0; p < length; p++) {
      while (starts[k + 1]! < p) k++
      const q = places[k]!
      numbers[offset + p * stride] = (p - q) ** 2 + values[q]!
    }
  }

  /** Where the parabola that stands at q crosses the one at an earlier r: ((f(q) + q²) − (f(r) + r²)) / (2q − 2r). */
  #meeting(q: number, r: number): number {
    return (this.#values[q]! + q * q - (this.#values[r]! + r * r)) / (2 * (q - r))
  }
}
