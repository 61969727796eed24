import { toFloat32, type Tensor } from '../tensor/tensor.ts'
import { sameShape } from '../tensor/shape.ts'

/** One output that was computed again. */
export interface CheckLine {
  readonly output: string
  /** ‖ours − reference‖ / ‖reference‖ */
  readonly relativeError: number
  readonly tolerance: number
  readonly passed: boolean
}

/** A group of the cases file that gave no numbers, and why. */
export interface SkippedGroup {
  readonly group: string
  readonly reason: string
}

export interface CheckReport {
  readonly lines: readonly CheckLine[]
  /** Groups that should have been computed and could not be: the check fails. */
  readonly failures: readonly SkippedGroup[]
  /** Groups that this version does not compute yet. */
  readonly notCovered: readonly SkippedGroup[]
  readonly passed: boolean
}

/** For single evaluations and their gradients, float32. */
export const SINGLE_TOLERANCE = 1e-4
/** For whole sampling chains. */
export const CHAIN_TOLERANCE = 1e-3

/** Compares one output with its reference; another shape or a number that is not finite is an infinite error. */
export function compareOutput(output: string, ours: Tensor, reference: Tensor, tolerance: number): CheckLine {
  const relativeError = relativeDistance(ours, reference)
  return { output, relativeError, tolerance, passed: relativeError <= tolerance }
}

function relativeDistance(ours: Tensor, reference: Tensor): number {
  if (!sameShape(ours.shape, reference.shape)) return Infinity
  const a = toFloat32(ours).data
  const b = toFloat32(reference).data
  let difference = 0
  let size = 0
  b.forEach((value, i) => {
    difference += ((a[i] ?? NaN) - value) ** 2
    size += value ** 2
  })
  const relative = size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size)
  return Number.isNaN(relative) ? Infinity : relative
}
