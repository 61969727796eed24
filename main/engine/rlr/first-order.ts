import type { StepCoefficients } from '../diffusion/ddim.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { Denoiser, Parameters } from './denoiser.ts'
import { walkBack, type WalkedBack } from './walk-back.ts'

/**
 * First order: the pathwise gradient of the reward through the last `depth` steps, Σ over those steps of g_t, exact for the drawn
 * noise. Depth 1 is the paper's (x_0 by θ_1); depth T is full backpropagation. Late steps are where half order is noisiest, σ
 * being small, and this is cheapest.
 *
 * @param dx0 Σ_b w_b dR_b/dx_0, with the weights w_b the reward's gradient was asked for
 */
export function firstOrder(
  denoiser: Denoiser,
  coefficients: readonly StepCoefficients[],
  latents: ReadonlyMap<number, FloatTensor>,
  depth: number,
  theta: Parameters,
  dx0: FloatTensor,
): Promise<WalkedBack> {
  const last = coefficients.length - 1
  return walkBack(denoiser, coefficients, latents, { first: last - depth + 1, last }, theta, dx0)
}
