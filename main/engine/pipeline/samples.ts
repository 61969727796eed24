import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** The samples of a batch [b, …], each as a batch of one: views, not copies. */
export function samplesOf(batch: FloatTensor): FloatTensor[] {
  const [count = 0, ...shape] = batch.shape
  const size = count === 0 ? 0 : batch.data.length / count
  return Array.from({ length: count }, (_, i) => float32([1, ...shape], batch.data.subarray(i * size, (i + 1) * size)))
}

/** Batches of one shape joined along the first axis. Throws a RangeError for none. */
export function joined(batches: readonly FloatTensor[]): FloatTensor {
  const [first] = batches
  if (first === undefined) throw new RangeError('nothing to join')
  const data = new Float32Array(batches.reduce((length, batch) => length + batch.data.length, 0))
  let offset = 0
  for (const batch of batches) {
    data.set(batch.data, offset)
    offset += batch.data.length
  }
  const count = batches.reduce((sum, { shape: [rows = 0] }) => sum + rows, 0)
  return float32([count, ...first.shape.slice(1)], data)
}
