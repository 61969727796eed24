import { norm } from '../rlr/batch-arithmetic.ts'

/**
 * The gradient scaled down to a global norm of at most `limit` (Pascanu et al. 2013), and the norm it had; as it is without a
 * limit.
 */
export function clipGradient(gradient: Float32Array, limit: number | null): { readonly gradient: Float32Array; readonly norm: number } {
  const length = norm(gradient)
  if (limit === null || !(length > limit)) return { gradient, norm: length }
  return { gradient: gradient.map((value) => value * (limit / length)), norm: length }
}
