import { describe, expect, it } from 'vitest'
import { meanSquaredError, minSnrWeight, noised, predictionTarget, withOffset } from '../../../main/engine/training/denoising-loss.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

const x0 = float32([1, 2, 1, 2], [1, -2, 0.5, 3])
const noise = float32([1, 2, 1, 2], [0.3, -0.7, 1.1, 0.2])
// √0.36 = 0.6 and √0.64 = 0.8.
const ALPHA_BAR = 0.36

const near = (actual: ArrayLike<number>, expected: readonly number[]): void =>
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 6))

describe('min-SNR', () => {
  it.each([
    // SNR = ᾱ/(1−ᾱ): 9, 1, 1/3.
    [0.9, 5, 'epsilon', 5 / 9], [0.5, 5, 'epsilon', 1], [0.25, 5, 'epsilon', 1], [0.5, 0.5, 'epsilon', 0.5],
    [0.9, 5, 'v_prediction', 5 / 10], [0.5, 5, 'v_prediction', 1 / 2], [0.25, 5, 'v_prediction', 1 / 4], [0.5, 0.5, 'v_prediction', 0.25],
    // Pure noise, as the last step of a schedule with zero terminal SNR.
    [0, 5, 'epsilon', 1], [0, 5, 'v_prediction', 0],
  ] as const)('weighs ᾱ = %d with γ = %d and %s by its closed form', (alphaBar, gamma, predictionType, expected) => {
    expect(minSnrWeight(alphaBar, gamma, predictionType)).toBeCloseTo(expected, 12)
  })

  it('without γ weighs every step alike', () => {
    for (const predictionType of ['epsilon', 'v_prediction'] as const) expect(minSnrWeight(0.9, null, predictionType)).toBe(1)
  })

  it('weighs the error of x_0 alike whether ε or v is predicted', () => {
    // The error of ε is SNR times that of x_0, the error of v SNR + 1 times.
    for (const alphaBar of [0.99, 0.7, 0.2, 0.01]) {
      const snr = alphaBar / (1 - alphaBar)
      expect(snr * minSnrWeight(alphaBar, 5, 'epsilon')).toBeCloseTo((snr + 1) * minSnrWeight(alphaBar, 5, 'v_prediction'), 10)
    }
  })
})

describe('a noised latent', () => {
  it('is √ᾱ x_0 + √(1−ᾱ) ε', () => near(noised(x0, noise, ALPHA_BAR).data, [0.84, -1.76, 1.18, 1.96]))

  it('is to be told from its ε, or its v = √ᾱ ε − √(1−ᾱ) x_0', () => {
    near(predictionTarget(x0, noise, ALPHA_BAR, 'epsilon').data, [...noise.data])
    near(predictionTarget(x0, noise, ALPHA_BAR, 'v_prediction').data, [0.18 - 0.8, -0.42 + 1.6, 0.66 - 0.4, 0.12 - 2.4])
  })

  it('gets the offset of its channel all over', () => {
    near(withOffset(noise, float32([2], [1, -2]), 0.1).data, [0.4, -0.6, 0.9, 0])
  })
})

it('the squared error and its gradient are those of the mean', () => {
  const { loss, gradient } = meanSquaredError(x0, noise)
  const differences = [0.7, -1.3, -0.6, 2.8]
  expect(loss).toBeCloseTo(differences.reduce((sum, d) => sum + d * d, 0) / 4, 6)
  near(gradient.data, differences.map((d) => d / 2))
})
