import type { PredictionType } from '../../../native-models/checkpoint/scheduler-config.ts'
import type { StepCoefficients } from './ddim.ts'
import { noiseLevelAt, type NoiseSchedule } from './noise-schedule.ts'

/**
 * Euler's method on the probability-flow equation dx/dσ = ε of the variance-exploding chain x + σ ε (Karras et al. 2022), ending on
 * the clean latent. With `eta` the ancestral variant: of every step's way down, σ_up = η √(σ'²(σ²−σ'²)/σ²) is fresh noise and
 * σ_down = √(σ'²−σ_up²) is walked.
 *
 * It is written for latents of the variance-preserving chain, x̃ = x/√(σ²+1), as the network and DDIM see them:
 *
 *   x̃' = (√(σ²+1) · x̃ + (σ_down − σ) · ε + σ_up · z) / √(σ'²+1)
 *
 * where a v-predicting network gives ε = (v + σ x̃) / √(σ²+1). Without noise this is DDIM with η = 0 and ᾱ = 1 at the end.
 *
 * @param timesteps noisiest first, fractions allowed
 * @param eta 0 is Euler's method, 1 the usual ancestral sampler
 */
export function eulerCoefficients(
  schedule: NoiseSchedule,
  timesteps: readonly number[],
  eta: number,
  prediction: PredictionType,
): StepCoefficients[] {
  return timesteps.map((timestep, i) => {
    const next = timesteps[i + 1]
    const from = noiseLevelAt(schedule, timestep)
    const to = next === undefined ? 0 : noiseLevelAt(schedule, next)
    const up = Math.min(to, eta * Math.sqrt((to * to * (from * from - to * to)) / (from * from)))
    const down = Math.sqrt(to * to - up * up)
    const before = Math.sqrt(from * from + 1)
    const after = Math.sqrt(to * to + 1)
    const way = down - from
    const sigma = up / after
    return prediction === 'v_prediction'
      ? { kx: (before + (way * from) / before) / after, ke: way / before / after, sigma }
      : { kx: before / after, ke: way / after, sigma }
  })
}
