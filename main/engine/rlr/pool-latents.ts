import { elementCount } from '../tensor/shape.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

/** Cells along each side of the grid that a latent is averaged over: what a reward sees first is coarse. */
const GRID = 8

/** Each sample of a batch as a short vector: pictures [b, c, h, w] averaged over a grid per channel, other shapes as they are. */
export function poolLatents(latents: FloatTensor): Float64Array[] {
  const [batch = 0, channels = 0, height = 0, width = 0] = latents.shape
  const size = elementCount(latents.shape.slice(1))
  return Array.from({ length: batch }, (_, b) => {
    const sample = latents.data.subarray(b * size, (b + 1) * size)
    return latents.shape.length === 4 ? poolPicture(sample, channels, height, width) : Float64Array.from(sample)
  })
}

function poolPicture(sample: Float32Array, channels: number, height: number, width: number): Float64Array {
  const rows = Math.min(GRID, height)
  const columns = Math.min(GRID, width)
  const sums = new Float64Array(channels * rows * columns)
  const counts = new Float64Array(sums.length)
  sample.forEach((value, i) => {
    const x = i % width
    const y = Math.floor(i / width) % height
    const c = Math.floor(i / (width * height))
    const cell = (c * rows + Math.floor((y * rows) / height)) * columns + Math.floor((x * columns) / width)
    sums[cell] = (sums[cell] ?? 0) + value
    counts[cell] = (counts[cell] ?? 0) + 1
  })
  return sums.map((sum, cell) => sum / (counts[cell] ?? 1))
}
