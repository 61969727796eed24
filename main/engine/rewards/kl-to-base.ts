import type { StepCoefficients } from '../diffusion/ddim.ts'
import { HalfstepError } from '../errors.ts'
import { addTo, combine, times } from '../rlr/batch-arithmetic.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

export interface Penalty {
  readonly value: number
  /** To be subtracted, times a weight, from a gradient that ascends. */
  readonly dTheta: Parameters
}

/** `kl` weighs each step by its own noise; `prediction` takes the predictions alike, and needs no noise in the chain. */
export type PenaltyMeasure = 'kl' | 'prediction'

/**
 * How far the trained chain has moved from the base's, and its gradient by θ. With Δe = e(x; θ) − e(x; θ_base) at given latents,
 * averaged over the positions and the batch:
 * - `kl`: KL of one step's Gaussians N(μ(θ), σ²), N(μ(θ_base), σ²): ‖ke Δe‖² / (2σ²), with gradient ke²/σ² (∂e/∂θ)ᵀ Δe. Times the
 *   number of steps it is the KL of whole chains (for positions drawn uniformly, without bias). Steps without noise are left out.
 * - `prediction`: the mean square of Δe's elements.
 * The latents count as given: no gradient runs through them, nor to the base.
 *
 * @param latents what enters the chain's step at each chosen position
 * @param base θ of the model not to drift from
 * @throws recipe.impossible when the KL is asked for and no chosen step has noise
 */
export async function klToBase(
  denoiser: Denoiser,
  coefficients: readonly StepCoefficients[],
  latents: ReadonlyMap<number, FloatTensor>,
  theta: Parameters,
  base: Parameters,
  measure: PenaltyMeasure = 'kl',
): Promise<Penalty> {
  const chosen = [...latents].map(([position, x]) => ({ position, x, factor: factorOf(coefficients[position], x, measure) }))
  const counted = chosen.filter(({ factor }) => factor !== undefined)
  if (counted.length === 0) throw noNoise()
  const dTheta = new Float32Array(theta.length)
  let value = 0
  for (const { position, x, factor = 0 } of counted) {
    const moved = await denoiser.predict(position, x, theta)
    const difference = combine(1, moved, -1, await denoiser.predict(position, x, base))
    const share = factor / (counted.length * (x.shape[0] ?? 1))
    value += share * difference.data.reduce((sum, d) => sum + d * d, 0)
    addTo(dTheta, (await denoiser.vjp(position, x, theta, times(2 * share, difference))).dTheta)
  }
  return { value, dTheta }
}

/** c in c·‖Δe‖² for one sample; undefined for a step whose KL is not finite. */
function factorOf(step: StepCoefficients | undefined, x: FloatTensor, measure: PenaltyMeasure): number | undefined {
  if (step === undefined) throw new HalfstepError('internal', 'A penalty was asked for at a position the chain does not have.')
  if (measure === 'prediction') return (x.shape[0] ?? 1) / x.data.length
  return step.sigma === 0 ? undefined : step.ke ** 2 / (2 * step.sigma ** 2)
}

function noNoise(): HalfstepError {
  const message = 'The KL to the base is not finite for a chain without noise.'
  return new HalfstepError('recipe.impossible', message, 'Set eta above 0, or measure the predictions instead.')
}
