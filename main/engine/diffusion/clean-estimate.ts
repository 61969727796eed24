import type { SchedulerConfig } from '../../../native-models/checkpoint/scheduler-config.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { noiseLevelAt, noiseSchedule } from './noise-schedule.ts'

/**
 * The clean latent that a prediction e means for the latent x_t: with ᾱ = 1 / (1 + level²),
 * x̂₀ = (x_t − √(1−ᾱ) e) / √ᾱ where e is noise (Ho et al. 2020, eq. 15), x̂₀ = √ᾱ x_t − √(1−ᾱ) e where it is velocity
 * (Salimans and Ho 2022).
 */
export function cleanEstimate(config: SchedulerConfig, timestep: number, x: FloatTensor, e: FloatTensor): FloatTensor {
  const level = noiseLevelAt(noiseSchedule(config), timestep)
  const signal = 1 / Math.sqrt(1 + level ** 2)
  const noise = level * signal
  const estimate = config.predictionType === 'epsilon'
    ? (xi: number, ei: number): number => (xi - noise * ei) / signal
    : (xi: number, ei: number): number => signal * xi - noise * ei
  return float32(x.shape, x.data.map((value, i) => estimate(value, e.data[i]!)))
}
