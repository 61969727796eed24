import { describe, expect, it } from 'vitest'
import { dot, fitBradleyTerry, type Comparison } from '../../../main/engine/taste/bradley-terry.ts'

const ONE = [Float64Array.of(1), Float64Array.of(0)]

/** Root of an increasing function on [0, 100]. */
function root(f: (x: number) => number): number {
  let [low, high] = [0, 100]
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    if (f(middle) > 0) high = middle
    else low = middle
  }
  return low
}

describe('the Bradley–Terry score', () => {
  it('solves the penalised equation for its only weight: σ(w) − t + λ w = 0', () => {
    const shares: Comparison[] = [1, 1, 1, 0].map((outcome) => ({ first: 0, second: 1, outcome: outcome === 1 ? 1 : 0 }))
    const [w = 0] = fitBradleyTerry(ONE, shares)
    expect(w).toBeCloseTo(root((x) => 1 / (1 + Math.exp(-x)) - 0.75 + 0.01 * x), 5)
  })

  it('takes neither as half for each', () => {
    const open: Comparison[] = [{ first: 0, second: 1, outcome: 0.5 }]
    const split: Comparison[] = [{ first: 0, second: 1, outcome: 1 }, { first: 0, second: 1, outcome: 0 }]
    expect(fitBradleyTerry(ONE, open)[0]).toBeCloseTo(0, 6)
    expect(fitBradleyTerry(ONE, split)[0]).toBeCloseTo(0, 6)
  })

  it('does not care which of two things is called the first', () => {
    const all = [Float64Array.of(1, 0), Float64Array.of(0, 1), Float64Array.of(0.5, -0.5)]
    const one: Comparison[] = [{ first: 0, second: 1, outcome: 1 }, { first: 1, second: 2, outcome: 0 }]
    const other: Comparison[] = [{ first: 1, second: 0, outcome: 0 }, { first: 2, second: 1, outcome: 1 }]
    const [a, b] = [fitBradleyTerry(all, one), fitBradleyTerry(all, other)]
    a.forEach((value, k) => expect(value).toBeCloseTo(b[k]!, 6))
    expect(dot(a, all[0]!)).toBeGreaterThan(dot(a, all[1]!))
  })

  it('is indifferent without comparisons', () => {
    expect(fitBradleyTerry(ONE, [])).toEqual(Float64Array.of(0))
  })
})
