import { componentsOf, type Mask } from './connected-components.ts'

/** The parts of the outside that the inside encloses, each as its pixels, the largest first. */
export function holesOf(mask: Mask): number[][] {
  const { width, height, data } = mask
  const outside = { width, height, data: data.map((inside) => 1 - inside) }
  const atBorder = (pixel: number): boolean => {
    const x = pixel % width
    return x === 0 || x === width - 1 || pixel < width || pixel >= width * (height - 1)
  }
  return componentsOf(outside, 4).filter((component) => !component.some(atBorder))
}

/** The mask with these pixels inside as well. */
export function withPixels({ width, height, data }: Mask, pixels: readonly number[]): Mask {
  const filled = Uint8Array.from(data)
  for (const pixel of pixels) filled[pixel] = 1
  return { width, height, data: filled }
}

/**
 * Euclidean distance of every pixel inside to the nearest pixel outside, 0 outside; what lies beyond the picture's border is
 * neither. Exact: the lower envelope of parabolas along rows, then along columns (Felzenszwalb and Huttenlocher 2012).
 */
export function distanceToOutside({ width, height, data }: Mask): Float32Array {
  const far = (width + height) ** 2
  const squared = new Float64Array(data.length)
  for (let i = 0; i < data.length; i++) squared[i] = data[i] === 1 ? far : 0
  const line = new Line(Math.max(width, height))
  for (let row = 0; row < height; row++) line.transform(squared, row * width, 1, width)
  for (let column = 0; column < width; column++) line.transform(squared, column, width, height)
  const distances = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) distances[i] = Math.sqrt(squared[i]!)
  return distances
}

/** Room for one line of pixels: their values, and the parabolas of the lower envelope with where each begins to be the lowest. */
class Line {
  readonly #heights: Float64Array
  readonly #apexes: Int32Array
  readonly #begins: Float64Array

  constructor(length: number) {
    this.#heights = new Float64Array(length)
    this.#apexes = new Int32Array(length)
    this.#begins = new Float64Array(length + 1)
  }

  /** d(p) ← min over q of (p − q)² + d(q) along a line, in place. */
  transform(values: Float64Array, start: number, stride: number, length: number): void {
    const [heights, apexes, begins] = [this.#heights, this.#apexes, this.#begins]
    for (let i = 0; i < length; i++) heights[i] = values[start + i * stride]!
    let last = 0
    apexes[0] = 0
    begins[0] = -Infinity
    begins[1] = Infinity
    for (let q = 1; q < length; q++) {
      let crossing = crossingOf(heights, apexes[last]!, q)
      while (crossing <= begins[last]!) crossing = crossingOf(heights, apexes[--last]!, q)
      apexes[++last] = q
      begins[last] = crossing
      begins[last + 1] = Infinity
    }
    for (let p = 0, k = 0; p < length; p++) {
      while (begins[k + 1]! < p) k++
      const apex = apexes[k]!
      values[start + p * stride] = (p - apex) * (p - apex) + heights[apex]!
    }
  }
}

/** Where the parabolas over a and b > a cross. */
function crossingOf(heights: Float64Array, a: number, b: number): number {
  return (heights[b]! + b * b - heights[a]! - a * a) / (2 * (b - a))
}
