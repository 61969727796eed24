import { elementCount } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** a·x + b·y, element by element. */
export function combine(a: number, x: FloatTensor, b: number, y: FloatTensor): FloatTensor {
  return float32(x.shape, x.data.map((value, i) => a * value + b * (y.data[i] ?? 0)))
}

/** a·x */
export function times(a: number, x: FloatTensor): FloatTensor {
  return float32(x.shape, x.data.map((value) => a * value))
}

/** Each sample of a batch [b, …] times its own factor. */
export function timesPerSample(factors: ArrayLike<number>, x: FloatTensor): FloatTensor {
  const size = elementCount(x.shape.slice(1))
  return float32(x.shape, x.data.map((value, i) => value * (factors[Math.floor(i / size)] ?? 0)))
}

/** sum += factor · vector */
export function addTo(sum: Float32Array, vector: Float32Array, factor = 1): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + factor * (vector[i] ?? 0)
}

/** Euclidean norm. */
export function norm(vector: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < vector.length; i++) sum += (vector[i] ?? 0) ** 2
  return Math.sqrt(sum)
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0
  return sum / values.length
}
