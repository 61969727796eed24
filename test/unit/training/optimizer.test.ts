import { describe, expect, it } from 'vitest'
import { initAdamW, updateAdamW } from '../../../main/engine/training/adamw.ts'
import { updateEma } from '../../../main/engine/training/ema.ts'
import { clipGradient } from '../../../main/engine/training/gradient-clipping.ts'
import { learningRateFactor, type Schedule } from '../../../main/engine/training/schedules.ts'

describe('AdamW', () => {
  const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 }

  it("takes the steps that the paper's formulas give, uphill", () => {
    const first = updateAdamW(settings, initAdamW(1), Float32Array.of(2), Float32Array.of(1), 0.01)
    // m/(1−β₁) = 1 and v/(1−β₂) = 1, so the step is lr · (1 − λθ).
    expect(first.theta[0]).toBeCloseTo(2 + 0.01 * (1 - 0.2), 6)
    const second = updateAdamW(settings, first.state, first.theta, Float32Array.of(-0.5), 0.01)
    // m = 0.9·0.1 − 0.1·0.5 = 0.04, m̂ = 0.04/0.19; v = 0.999·0.001 + 0.001·0.25 = 0.001249, v̂ = 0.001249/0.001999.
    const direction = 0.04 / 0.19 / Math.sqrt(0.001249 / 0.001999)
    expect(second.theta[0]).toBeCloseTo(2.008 + 0.01 * (direction - 0.1 * 2.008), 6)
    expect(second.state.steps).toBe(2)
  })

  it("decays weights by the learning rate alone, whatever the gradient's size", () => {
    const decayed = (gradient: number): number =>
      updateAdamW(settings, initAdamW(1), Float32Array.of(100), Float32Array.of(gradient), 0.01).theta[0]! - 100
    expect(decayed(1000) - decayed(-1000)).toBeCloseTo(0.02, 4)
    expect((decayed(1000) + decayed(-1000)) / 2).toBeCloseTo(-0.1, 4)
  })

  it('changes nothing in place', () => {
    const state = initAdamW(2)
    const theta = Float32Array.of(1, 2)
    updateAdamW(settings, state, theta, Float32Array.of(3, 4), 0.1)
    expect([theta, state.first, state.second]).toEqual([Float32Array.of(1, 2), new Float32Array(2), new Float32Array(2)])
  })
})

describe('the learning rate', () => {
  const factors = (schedule: Schedule, updates: number): number[] =>
    Array.from({ length: updates }, (_, update) => learningRateFactor(schedule, update, updates))

  it('warms up linearly and stays', () => {
    expect(factors({ kind: 'constant', warmUp: 3 }, 6)).toEqual([0.25, 0.5, 0.75, 1, 1, 1])
  })

  it('falls by half a cosine to the floor in the last update', () => {
    const falling = factors({ kind: 'cosine', warmUp: 1, floor: 0.1 }, 6)
    expect(falling[1]).toBe(1)
    expect(falling[3]).toBeCloseTo(0.55)
    expect(falling[5]).toBeCloseTo(0.1)
    expect(falling.slice(1)).toEqual(falling.slice(1).toSorted((a, b) => b - a))
  })

  it('is full in a run of one update', () => expect(factors({ kind: 'cosine', warmUp: 0, floor: 0 }, 1)).toEqual([1]))
})

describe('gradient clipping', () => {
  it('shortens a gradient beyond the limit and keeps its direction', () => {
    const { gradient, norm } = clipGradient(Float32Array.of(3, 4), 1)
    expect(norm).toBe(5)
    expect([...gradient].map((value) => Number(value.toFixed(6)))).toEqual([0.6, 0.8])
  })

  it.each([[6], [5], [null]])('leaves a gradient of norm 5 alone with a limit of %s', (limit) => {
    const gradient = Float32Array.of(3, 4)
    expect(clipGradient(gradient, limit)).toEqual({ gradient, norm: 5 })
  })
})

describe('the moving average', () => {
  it('follows quickly at first and slowly later', () => {
    const zero = Float32Array.of(0)
    const one = Float32Array.of(1)
    expect(updateEma(zero, one, 0.99, 0)[0]).toBeCloseTo(0.9)
    expect(updateEma(zero, one, 0.99, 10_000)[0]).toBeCloseTo(0.01)
  })
})
