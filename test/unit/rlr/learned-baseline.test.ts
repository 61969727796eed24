import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import { LearnedBaseline } from '../../../main/engine/rlr/learned-baseline.ts'
import { poolLatents } from '../../../main/engine/rlr/pool-latents.ts'
import { solvePositiveDefinite } from '../../../main/engine/rlr/solve-positive-definite.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

describe('LearnedBaseline', () => {
  const random = new Random(9)
  const batch = (i: number) => random.normal('sample', [i], [4, 3])
  const rewardOf = (x: Float32Array, b: number, position: number): number => 5 + position * x[3 * b]! - x[3 * b + 1]! ** 2

  it('learns a reward that depends on latent and position', () => {
    const baseline = new LearnedBaseline({ steps: 3 })
    const errors: number[] = []
    for (let i = 0; i < 600; i++) {
      const x = batch(i)
      const position = i % 3
      const rewards = [0, 1, 2, 3].map((b) => rewardOf(x.data, b, position))
      const predicted = baseline.predict(position, x)
      if (i >= 500) errors.push(...rewards.map((reward, b) => (reward - predicted[b]!) ** 2))
      baseline.observe(position, x, rewards)
    }
    const variance = 2 + 5 / 3
    expect(errors.reduce((a, b) => a + b, 0) / errors.length).toBeLessThan(0.2 * variance)
  })

  it('knows that it has seen nothing', () => {
    const baseline = new LearnedBaseline({ steps: 2 })
    expect(baseline.informed).toBe(false)
    expect([...baseline.predict(0, batch(0))]).toEqual([0, 0, 0, 0])
    baseline.observe(0, batch(0), [1, 2, 3, 4])
    expect(baseline.informed).toBe(true)
  })

  it('leaves out rewards that are not finite', () => {
    const baseline = new LearnedBaseline({ steps: 2 })
    baseline.observe(0, batch(0), [NaN, Infinity, -Infinity, NaN])
    expect(baseline.informed).toBe(false)
  })

  it('does not let rewards change predictions that were made before', () => {
    const baseline = new LearnedBaseline({ steps: 2 })
    baseline.observe(0, batch(0), [1, 2, 3, 4])
    const predicted = baseline.predict(1, batch(1))
    const kept = [...predicted]
    baseline.observe(1, batch(1), [9, 9, 9, 9])
    expect([...predicted]).toEqual(kept)
    expect([...baseline.predict(1, batch(1))]).not.toEqual(kept)
  })

  it('takes pictures of any size, odd ones too', () => {
    const baseline = new LearnedBaseline({ steps: 2 })
    const x = random.normal('sample', [0], [2, 4, 11, 17])
    baseline.observe(0, x, [1, 2])
    expect([...baseline.predict(0, x)].every(Number.isFinite)).toBe(true)
  })
})

describe('poolLatents', () => {
  it('averages pictures over a grid of at most 8×8 per channel', () => {
    const [pooled] = poolLatents(float32([1, 1, 16, 16], Float32Array.from({ length: 256 }, (_, i) => Math.floor(i / 32))))
    expect(pooled).toHaveLength(64)
    expect(pooled![0]).toBe(0)
    expect(pooled![63]).toBe(7)
  })

  it('leaves small pictures and other shapes as they are', () => {
    expect([...poolLatents(float32([1, 1, 2, 2], [1, 2, 3, 4]))[0]!]).toEqual([1, 2, 3, 4])
    expect(poolLatents(float32([2, 2], [1, 2, 3, 4])).map((x) => [...x])).toEqual([[1, 2], [3, 4]])
  })
})

describe('solvePositiveDefinite', () => {
  it('solves', () => {
    const x = solvePositiveDefinite(Float64Array.of(4, 2, 0.6, 2, 5, 1, 0.6, 1, 3), Float64Array.of(1, 2, 3))
    const back = [4 * x[0]! + 2 * x[1]! + 0.6 * x[2]!, 2 * x[0]! + 5 * x[1]! + x[2]!, 0.6 * x[0]! + x[1]! + 3 * x[2]!]
    back.forEach((value, i) => expect(value).toBeCloseTo(i + 1, 12))
  })

  it('refuses a matrix that is not positive definite', () => {
    expect(() => solvePositiveDefinite(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1))).toThrow(RangeError)
  })
})
