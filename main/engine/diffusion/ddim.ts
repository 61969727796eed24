import type { PredictionType } from '../../../native-models/checkpoint/scheduler-config.ts'
import type { NoiseSchedule } from './noise-schedule.ts'

/** One sampling step, x' = kx · x + ke · e + sigma · z with the network's prediction e and fresh noise z ~ N(0, I). */
export interface StepCoefficients {
  readonly kx: number
  readonly ke: number
  readonly sigma: number
}

/**
 * The coefficients of every step of a DDIM chain (Song et al. 2021) that visits the given timesteps, noisiest first. The last
 * step adds no noise.
 *
 * With ᾱ at a timestep and ᾱ' at the next one visited, σ² = η² (1−ᾱ')/(1−ᾱ) · (1 − ᾱ/ᾱ') and d = √(1−ᾱ'−σ²):
 * - ε-prediction: kx = √(ᾱ'/ᾱ), ke = d − √(ᾱ'(1−ᾱ)/ᾱ)
 * - v-prediction: kx = √(ᾱ'ᾱ) + d √(1−ᾱ), ke = −√(ᾱ'(1−ᾱ)) + d √ᾱ
 *
 * @param eta 0 is deterministic, 1 has the noise of the original diffusion chain
 */
export function ddimCoefficients(
  schedule: NoiseSchedule,
  timesteps: readonly number[],
  eta: number,
  prediction: PredictionType,
): StepCoefficients[] {
  return timesteps.map((timestep, i) => {
    const alphaBar = schedule.alphaBars[timestep] ?? 1
    const next = timesteps[i + 1]
    const nextAlphaBar = next === undefined ? schedule.finalAlphaBar : (schedule.alphaBars[next] ?? 1)
    const variance = next === undefined ? 0 : ((eta * eta * (1 - nextAlphaBar)) / (1 - alphaBar)) * (1 - alphaBar / nextAlphaBar)
    const direction = Math.sqrt(Math.max(0, 1 - nextAlphaBar - variance))
    const sigma = Math.sqrt(variance)
    if (prediction === 'v_prediction') {
      return {
        kx: Math.sqrt(nextAlphaBar * alphaBar) + direction * Math.sqrt(1 - alphaBar),
        ke: -Math.sqrt(nextAlphaBar * (1 - alphaBar)) + direction * Math.sqrt(alphaBar),
        sigma,
      }
    }
    return { kx: Math.sqrt(nextAlphaBar / alphaBar), ke: direction - Math.sqrt((nextAlphaBar * (1 - alphaBar)) / alphaBar), sigma }
  })
}
