/** The loss that diffusion models are trained with (Ho et al. 2020), on one noised latent at a time. */
import type { PredictionType } from '../../../native-models/checkpoint/scheduler-config.ts'
import { combine } from '../rlr/batch-arithmetic.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** x_t = √ᾱ x_0 + √(1−ᾱ) ε */
export function noised(x0: FloatTensor, noise: FloatTensor, alphaBar: number): FloatTensor {
  return combine(Math.sqrt(alphaBar), x0, Math.sqrt(1 - alphaBar), noise)
}

/** What the network is to predict: ε, or v = √ᾱ ε − √(1−ᾱ) x_0 (Salimans & Ho 2022). */
export function predictionTarget(x0: FloatTensor, noise: FloatTensor, alphaBar: number, predictionType: PredictionType): FloatTensor {
  return predictionType === 'epsilon' ? noise : combine(Math.sqrt(alphaBar), noise, -Math.sqrt(1 - alphaBar), x0)
}

/**
 * Noise with a part that is the same all over a channel: ε + offset · n_c, n_c ~ N(0, 1). A model that only ever saw noise without it
 * cannot make pictures that are dark or bright as a whole (Guttenberg, Diffusion with Offset Noise, 2023).
 * @param noise [1, c, …] @param perChannel [c]
 */
export function withOffset(noise: FloatTensor, perChannel: FloatTensor, offset: number): FloatTensor {
  const size = noise.data.length / perChannel.data.length
  return float32(noise.shape, noise.data.map((value, i) => value + offset * perChannel.data[Math.floor(i / size)]!))
}

/**
 * Min-SNR-γ (Hang et al. 2023): the weight of a squared error such that, said of x_0, it is min(SNR, γ) with SNR = ᾱ/(1−ᾱ), so
 * that steps of little noise do not outweigh all others. The error of ε is SNR times that of x_0, the error of v SNR + 1 times:
 *
 *   ε: min(SNR, γ) / SNR        v: min(SNR, γ) / (SNR + 1)
 *
 * @param gamma null for a weight of 1 everywhere
 */
export function minSnrWeight(alphaBar: number, gamma: number | null, predictionType: PredictionType): number {
  if (gamma === null) return 1
  const snr = alphaBar / (1 - alphaBar)
  // γ/0 is infinite, which leaves the limit of 1.
  return predictionType === 'epsilon' ? Math.min(1, gamma / snr) : Math.min(snr, gamma) / (snr + 1)
}

/** L = mean (e − target)², and dL/de. */
export function meanSquaredError(e: FloatTensor, target: FloatTensor): { readonly loss: number; readonly gradient: FloatTensor } {
  const count = e.data.length
  let sum = 0
  const gradient = e.data.map((value, i) => {
    const difference = value - target.data[i]!
    sum += difference ** 2
    return (2 * difference) / count
  })
  return { loss: sum / count, gradient: float32(e.shape, gradient) }
}
