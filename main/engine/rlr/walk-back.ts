import type { StepCoefficients } from '../diffusion/ddim.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { addTo, combine, norm, times } from './batch-arithmetic.ts'
import type { Denoiser, Parameters } from './denoiser.ts'

/** A stretch of the chain, both positions included. */
export interface Window {
  readonly first: number
  readonly last: number
}

export interface WalkedBack {
  /** Σ over the stretch of (∂ chain / ∂θ at that step)ᵀ u. */
  readonly gradient: Parameters
  /** Euclidean norm of each step's own part, first to last. */
  readonly normPerStep: readonly number[]
}

/**
 * Backpropagation through a stretch of the chain, from the gradient u by what its last step yields. At each step, backwards:
 *
 *   dθ += (∂e/∂θ)ᵀ ke u,   u ← kx u + (∂e/∂x)ᵀ ke u
 *
 * Only the stretch's latents are needed, and each step is recomputed in its own vjp, so memory grows with neither its length
 * nor the chain's.
 */
export async function walkBack(
  denoiser: Denoiser,
  coefficients: readonly StepCoefficients[],
  latents: ReadonlyMap<number, FloatTensor>,
  { first, last }: Window,
  theta: Parameters,
  upstream: FloatTensor,
): Promise<WalkedBack> {
  const gradient = new Float32Array(denoiser.parameterCount)
  const normPerStep: number[] = []
  let u = upstream
  for (let position = last; position >= first; position--) {
    const { kx, ke } = coefficients[position] ?? { kx: 0, ke: 0 }
    const x = latents.get(position)
    if (x === undefined) throw new RangeError(`the latent at position ${position} was not kept`)
    const { dx, dTheta } = await denoiser.vjp(position, x, theta, times(ke, u))
    addTo(gradient, dTheta)
    normPerStep.unshift(norm(dTheta))
    u = combine(kx, u, 1, dx)
  }
  return { gradient, normPerStep }
}

export const positionsOf = ({ first, last }: Window): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)
