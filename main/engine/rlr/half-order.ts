import type { StepCoefficients } from '../diffusion/ddim.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { timesPerSample } from './batch-arithmetic.ts'
import type { Denoiser, Parameters } from './denoiser.ts'
import { walkBack, type WalkedBack, type Window } from './walk-back.ts'

/**
 * Half order: the likelihood ratio of the latent that leaves a window, with backpropagation inside the window.
 *
 * Given the latent that enters the window and its inner noises, what leaves it is N(φ(θ), σ² I) with σ and z of its last step, so
 *
 *   Σ over the window of g_t = E[ (R − b) · (∂φ/∂θ)ᵀ z/σ ]
 *
 * for any baseline b that does not depend on z given the past. The reward needs no gradient.
 *
 * @param z noise of the window's last step
 * @param advantages (R − b) · w per sample, w being the sample's weight in the objective
 */
export function halfOrder(
  denoiser: Denoiser,
  coefficients: readonly StepCoefficients[],
  latents: ReadonlyMap<number, FloatTensor>,
  window: Window,
  theta: Parameters,
  z: FloatTensor,
  advantages: ArrayLike<number>,
): Promise<WalkedBack> {
  const sigma = coefficients[window.last]?.sigma ?? 0
  if (!(sigma > 0)) throw new RangeError(`the step at position ${window.last} adds no noise, so it has no likelihood ratio`)
  const upstream = timesPerSample(
    Array.from(advantages, (advantage) => advantage / sigma),
    z,
  )
  return walkBack(denoiser, coefficients, latents, window, theta, upstream)
}
