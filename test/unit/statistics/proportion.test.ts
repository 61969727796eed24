import { describe, expect, it } from 'vitest'
import { proportion } from '../../../main/engine/statistics/proportion.ts'

describe('a proportion', () => {
  it.each([
    [8, 10, 0.4901624715, 0.9433178485],
    [0, 10, 0, 0.2775327999],
    [10, 10, 0.7224672001, 1],
    [450, 512, 0.8477906573, 0.9043784315],
  ])('of %i in %i has Wilson\'s interval', (successes, trials, low, high) => {
    const { share, ...interval } = proportion(successes, trials)
    expect(share).toBe(successes / trials)
    expect(interval.low).toBeCloseTo(low, 9)
    expect(interval.high).toBeCloseTo(high, 9)
  })

  it('of nothing may be anything', () => {
    expect(proportion(0, 0)).toEqual({ successes: 0, trials: 0, share: NaN, low: 0, high: 1 })
  })

  it.each([[3, 2], [-1, 2], [0.5, 2], [NaN, 2]])('refuses %d of %d', (successes, trials) => {
    expect(() => proportion(successes, trials)).toThrow(RangeError)
  })
})
