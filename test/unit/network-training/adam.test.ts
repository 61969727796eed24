import { describe, expect, it } from 'vitest'
import { initAdam, stepAdam, type AdamSettings } from '../../../main/engine/network-training/adam.ts'

const SETTINGS: AdamSettings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, maxNorm: Infinity, averageDecay: 0.5 }

describe('stepAdam', () => {
  it('takes the steps of the published formulas', () => {
    // Computed with torch.optim.AdamW(lr=0.1, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1) for gradients (1, −2), then (0.5, 3).
    const weights = Float32Array.of(1, -1)
    const state = initAdam(weights)
    stepAdam(SETTINGS, state, weights, [Float32Array.of(1, -2)], 0.1)
    expect([...weights]).toEqual([expect.closeTo(0.89, 5), expect.closeTo(-0.89, 5)])
    stepAdam(SETTINGS, state, weights, [Float32Array.of(0.5, 3)], 0.1)
    expect(weights[0]).toBeCloseTo(0.89 * 0.99 - (0.1 * (0.9 * 0.1 + 0.05)) / 0.19 / Math.sqrt((0.01 * 0.99 + 0.01 * 0.25) / 0.0199), 5)
    expect(weights[1]).toBeCloseTo(-0.89 * 0.99 - (0.1 * (0.9 * -0.2 + 0.3)) / 0.19 / Math.sqrt((0.04 * 0.99 + 0.01 * 9) / 0.0199), 5)
  })

  it('takes gradients in pieces as if they were one', () => {
    const [whole, pieces] = [Float32Array.of(1, 2, 3), Float32Array.of(1, 2, 3)]
    stepAdam(SETTINGS, initAdam(whole), whole, [Float32Array.of(1, -1, 2)], 0.1)
    stepAdam(SETTINGS, initAdam(pieces), pieces, [Float32Array.of(1), Float32Array.of(-1, 2)], 0.1)
    expect(pieces).toEqual(whole)
  })

  it('shortens a gradient that is longer than allowed, and says how long it was', () => {
    const weights = Float32Array.of(0, 0)
    const state = initAdam(weights)
    expect(stepAdam({ ...SETTINGS, maxNorm: 1 }, state, weights, [Float32Array.of(30, 40)], 0.1)).toBeCloseTo(50, 4)
    expect([...state.first]).toEqual([expect.closeTo(0.06, 5), expect.closeTo(0.08, 5)])
  })

  it('changes nothing for a gradient that is not finite', () => {
    const weights = Float32Array.of(1, 2)
    const state = initAdam(weights)
    expect(stepAdam(SETTINGS, state, weights, [Float32Array.of(NaN, 1)], 0.1)).toBeNaN()
    expect([...weights]).toEqual([1, 2])
    expect(state.steps).toBe(0)
  })

  it('averages the weights, forgetting the beginning', () => {
    const weights = Float32Array.of(0)
    const state = initAdam(weights)
    for (let i = 0; i < 50; i++) stepAdam({ ...SETTINGS, weightDecay: 0 }, state, weights, [Float32Array.of(-1)], 0.1)
    expect(weights[0]).toBeCloseTo(5, 3)
    // With a decay of ½ the mean trails by one step.
    expect(state.average[0]).toBeCloseTo(4.9, 3)
  })
})
