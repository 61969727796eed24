import type { Parameters } from './denoiser.ts'
import { addTo } from './batch-arithmetic.ts'

/** How the parameters are perturbed to feel for the gradient of the steps that no window covers. */
export interface ZerothOrderSettings {
  /**
   * `antithetic`: one direction for all steps, rollouts at θ + μδ and θ − μδ. `per-step`: the paper's own, each step its own
   * direction inside one rollout, one-sided.
   */
  readonly form: 'antithetic' | 'per-step'
  /** Standard deviation of the perturbation. The bias in J is O(μ²). */
  readonly mu: number
  /** Pairs (or single rollouts, per-step) averaged. */
  readonly pairs: number
}

/** Directions δ ~ N(0, I) of θ's size, made again from their place whenever they are needed: (pair, position or 0). */
export type Directions = (pair: number, position: number) => Float32Array

/** Mean reward of a rollout that uses these parameters at each position, all noise being the update's own. */
export type MeanReward = (thetaAt: (position: number) => Parameters) => Promise<number>

/**
 * Zeroth order: the gradient of the covered steps from rewards alone.
 *
 *   antithetic:  ĝ = (R⁺ − R⁻) / 2μ · δ
 *   per-step:    ĝ = (R(θ_i + μδ_i) − R(θ)) / μ · Σ_i δ_i
 *
 * Common random numbers: only the parameters differ between the rollouts. R(θ), which is known anyway, is independent of the
 * directions, so subtracting it changes the variance and not the mean.
 *
 * @param positions the covered steps
 * @param unperturbed mean reward of the unperturbed rollout
 */
export async function zerothOrder(
  settings: ZerothOrderSettings,
  positions: ReadonlySet<number>,
  theta: Parameters,
  directions: Directions,
  reward: MeanReward,
  unperturbed: number,
): Promise<Parameters> {
  const { form, mu, pairs } = settings
  const gradient = new Float32Array(theta.length)
  if (positions.size === 0) return gradient
  for (let pair = 0; pair < pairs; pair++) {
    if (form === 'antithetic') {
      const delta = directions(pair, 0)
      const plus = await reward(perturbedOn(positions, theta, () => delta, mu))
      const minus = await reward(perturbedOn(positions, theta, () => delta, -mu))
      addTo(gradient, delta, (plus - minus) / (2 * mu * pairs))
      continue
    }
    const difference = (await reward(perturbedOn(positions, theta, (position) => directions(pair, position), mu))) - unperturbed
    for (const position of positions) addTo(gradient, directions(pair, position), difference / (mu * pairs))
  }
  return gradient
}

/** θ + factor · δ on the covered steps, θ elsewhere. Only the latest perturbed vector is held. */
function perturbedOn(
  positions: ReadonlySet<number>,
  theta: Parameters,
  direction: (position: number) => Float32Array,
  factor: number,
): (position: number) => Parameters {
  let held: { readonly delta: Float32Array; readonly perturbed: Parameters } | undefined
  return (position) => {
    if (!positions.has(position)) return theta
    const delta = direction(position)
    if (held?.delta !== delta) held = { delta, perturbed: theta.map((value, i) => value + factor * (delta[i] ?? 0)) }
    return held.perturbed
  }
}
