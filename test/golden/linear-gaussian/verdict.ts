import { expect } from 'vitest'
import { zScores, type DrawStatistics } from './draws.ts'

/**
 * The criterion for unbiasedness: every component of the mean within 3 standard errors of what is expected. Seeds are fixed, so a
 * sound estimator that passes once always passes; one component in 370 would fail for another seed.
 */
export const WITHIN = 3
/** The criterion for a bias that is really there. */
export const BEYOND = 5

export function expectMean(drawn: DrawStatistics, expected: ArrayLike<number>): void {
  const z = zScores(drawn, expected)
  expect(Math.max(...z.map(Math.abs)), `z = ${z.map((value) => value.toFixed(2)).join(', ')}`).toBeLessThanOrEqual(WITHIN)
}

/** The same criterion finds fault: for showing that a mistake would be noticed. */
export function expectRefuted(drawn: DrawStatistics, expected: ArrayLike<number>, beyond = WITHIN): void {
  const z = zScores(drawn, expected)
  expect(Math.max(...z.map(Math.abs)), `z = ${z.map((value) => value.toFixed(2)).join(', ')}`).toBeGreaterThan(beyond)
}

/** Variance of one draw, summed over components. */
export function totalVariance({ variance }: DrawStatistics): number {
  return variance.reduce((a, b) => a + b, 0)
}
