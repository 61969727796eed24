import type { StepCoefficients } from '../diffusion/ddim.ts'
import { elementCount } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import type { Denoiser, Parameters } from './denoiser.ts'

/** One noisy step of a rollout that was made with the parameters before the update. */
export interface TakenStep {
  readonly position: number
  readonly coefficients: StepCoefficients
  /** The latent that entered the step, and the one that left it. */
  readonly from: FloatTensor
  readonly to: FloatTensor
  /** The noise that was added. */
  readonly z: FloatTensor
}

/**
 * Gradient of PPO's clipped surrogate for one noisy step (Schulman et al. 2017, as DDPO uses it),
 *
 *   L = Σ_b d · min(ρ_b A_b, clip(ρ_b, 1 − c, 1 + c) A_b),   log ρ_b = (log p_θ(to | from) − log p_old(to | from)) / d
 *
 * d is the size of a latent: DDPO averages the log-likelihood over it, which is the scale its c = 1e-4 is meant for. Multiplied by
 * d, the gradient at ρ = 1 is A ∇log p, the score function of the other estimators.
 *
 * With r = (to − kx from − ke e)/σ, log p = −‖r‖²/2 + const and ∇log p = (∂e/∂θ)ᵀ ke r/σ.
 *
 * @param advantages A_b, the sample's weight in the objective included
 * @returns the gradient, and how many samples were clipped out of it
 */
export async function clippedRatio(
  denoiser: Denoiser,
  { position, coefficients: { kx, ke, sigma }, from, to, z }: TakenStep,
  theta: Parameters,
  advantages: ArrayLike<number>,
  clip: number,
): Promise<{ readonly gradient: Parameters; readonly clipped: number }> {
  const size = elementCount(from.shape.slice(1))
  const e = await denoiser.predict(position, from, theta)
  const r = to.data.map((value, i) => (value - kx * (from.data[i] ?? 0) - ke * (e.data[i] ?? 0)) / sigma)
  const upstream = new Float32Array(r.length)
  let clipped = 0
  for (let b = 0; b < advantages.length; b++) {
    const advantage = advantages[b] ?? 0
    let difference = 0
    for (let i = b * size; i < (b + 1) * size; i++) difference += ((z.data[i] ?? 0) ** 2 - (r[i] ?? 0) ** 2) / 2
    const ratio = Math.exp(difference / size)
    // Beyond the bound on the side that the advantage favours, the minimum is the clipped, constant branch.
    const outside = advantage > 0 ? ratio > 1 + clip : ratio < 1 - clip
    if (outside) clipped++
    else for (let i = b * size; i < (b + 1) * size; i++) upstream[i] = (advantage * ratio * ke * (r[i] ?? 0)) / sigma
  }
  if (clipped === advantages.length) return { gradient: new Float32Array(theta.length), clipped }
  const { dTheta } = await denoiser.vjp(position, from, theta, float32(from.shape, upstream))
  return { gradient: dTheta, clipped }
}
