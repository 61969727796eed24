import { HalfstepError } from '../errors.ts'
import { elementCount } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** Rows start … end of a batch [b, …], filled up to `size` rows with copies of the last one: graphs have a fixed batch. */
export function portion(batch: FloatTensor, start: number, size: number): FloatTensor {
  const [count = 0, ...rest] = batch.shape
  const row = elementCount(rest)
  const data = new Float32Array(size * row)
  for (let i = 0; i < size; i++) {
    const from = Math.min(start + i, count - 1) * row
    data.set(batch.data.subarray(from, from + row), i * row)
  }
  return float32([size, ...rest], data)
}

/** Starts of the portions of `size` rows that `count` rows are worked through in. */
export function starts(count: number, size: number): number[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => i * size)
}

/** Pictures are [b, 3, h, w] and go with one prompt each. Throws `internal`: it is the caller's defect. */
export function checkBatch(pictures: FloatTensor, prompts: readonly string[]): void {
  const [batch, channels] = pictures.shape
  if (pictures.shape.length === 4 && channels === 3 && batch === prompts.length) return
  throw new HalfstepError('internal', `A reward got pictures of shape [${pictures.shape.join(', ')}] and ${prompts.length} prompts.`)
}
