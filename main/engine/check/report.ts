import type { CheckLine, CheckReport, Precision, SkippedGroup } from '../protocol.ts'
import { sameShape } from '../tensor/shape.ts'
import { toFloat32, type Tensor } from '../tensor/tensor.ts'

export type { CheckLine, CheckReport, SkippedGroup }

/** For single evaluations and their gradients. References are float32; half precision rounds 8192 times more coarsely. */
export const SINGLE_TOLERANCE: Readonly<Record<Precision, number>> = { float32: 1e-4, float16: 2e-2 }
/** For whole sampling chains. */
export const CHAIN_TOLERANCE: Readonly<Record<Precision, number>> = { float32: 1e-3, float16: 5e-2 }

/**
 * An output passes when both hold, for its tolerance τ:
 *
 *   ‖a − b‖ ≤ τ ‖b‖                              the whole is right
 *   |aᵢ − bᵢ| ≤ τ |bᵢ| + 50 · max(r, ε RMS(b))   no number stands out; r is the RMS of a − b without i, ε that of float32
 *
 * The second is there because one wrong number among thousands hardly moves the norm. Rounding errors of one output are of
 * one size, that of the sums they come from, so it is measured against the others and needs no knowledge of the device:
 * on CPU and on WebGPU, 6 RMS is the most that any output of test/golden reaches. 50 leaves room for outputs whose
 * magnitude is concentrated in a few positions, such as the gradient by the first of 77 tokens.
 */
const OUTLIER = 50
const FLOAT32_EPSILON = 2 ** -23
/** Fewer numbers have no typical error, and each of them moves the norm. */
const FEWEST_FOR_OUTLIERS = 8

/** Compares one output with its reference; another shape or a number that is not finite is an infinite error. */
export function compareOutput(output: string, ours: Tensor, reference: Tensor, tolerance: number): CheckLine {
  const a = toFloat32(ours).data
  const b = toFloat32(reference).data
  const relativeError = sameShape(ours.shape, reference.shape) ? relativeDistance(a, b) : Infinity
  const position = relativeError <= tolerance ? findOutlier(a, b, tolerance) : undefined
  const outlier = position === undefined ? null : { index: indexOf(position, reference.shape), ours: a[position]!, reference: b[position]! }
  return { output, relativeError, tolerance, outlier, passed: relativeError <= tolerance && outlier === null }
}

function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const size = Math.sqrt(sumOver(b, (i) => b[i]! ** 2))
  const distance = Math.sqrt(squaredDistance(a, b))
  const relative = size === 0 ? distance : distance / size
  return Number.isNaN(relative) ? Infinity : relative
}

/** The flat position of the number that exceeds its bound by most, if any does. */
function findOutlier(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): number | undefined {
  if (b.length < FEWEST_FOR_OUTLIERS) return undefined
  const total = squaredDistance(a, b)
  const finest = FLOAT32_EPSILON * Math.sqrt(sumOver(b, (i) => b[i]! ** 2) / b.length)
  let found: number | undefined
  let largestExcess = 0
  for (let i = 0; i < b.length; i++) {
    const error = Math.abs(a[i]! - b[i]!)
    const others = Math.sqrt(Math.max(0, total - error ** 2) / (b.length - 1))
    const excess = error - tolerance * Math.abs(b[i]!) - OUTLIER * Math.max(others, finest)
    if (excess <= largestExcess) continue
    largestExcess = excess
    found = i
  }
  return found
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return sumOver(b, (i) => (a[i]! - b[i]!) ** 2)
}

function sumOver(values: ArrayLike<number>, term: (i: number) => number): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += term(i)
  return sum
}

/** The index [i, j, …] of a flat, row-major position. */
function indexOf(position: number, shape: readonly number[]): number[] {
  let rest = position
  return shape.toReversed().map((size) => {
    const index = rest % size
    rest = Math.floor(rest / size)
    return index
  }).reverse()
}
