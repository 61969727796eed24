import { complementaryError } from './complementary-error.ts'

/**
 * McNemar's test of paired yes-or-no outcomes: whether those that changed one way outnumber those that changed the other way by
 * more than chance. Pairs that stayed the same say nothing.
 *
 * The exact, two-sided test: 2 · P(X ≤ min(gained, lost)) for X ~ Binomial(gained + lost, ½), at most 1.
 * @param gained pairs that became true, @param lost pairs that became false
 * @returns p. Throws RangeError for what is no count.
 */
export function mcnemarExact(gained: number, lost: number): number {
  checkCounts(gained, lost)
  const changed = gained + lost
  // ln C(n, i) − n ln 2, from one i to the next, because the terms themselves leave the range of numbers.
  let term = -changed * Math.LN2
  let sum = 0
  for (let i = 0; i <= Math.min(gained, lost); i++) {
    sum += Math.exp(term)
    term += Math.log((changed - i) / (i + 1))
  }
  return Math.min(1, 2 * sum)
}

export interface ChiSquared {
  readonly statistic: number
  readonly p: number
}

/**
 * The approximation with Edwards' continuity correction: (|gained − lost| − 1)² / (gained + lost) is about χ² with one degree of
 * freedom, whose tail is erfc(√(x / 2)). Good from about 25 changed pairs on.
 */
export function mcnemarCorrected(gained: number, lost: number): ChiSquared {
  checkCounts(gained, lost)
  if (gained === lost) return { statistic: 0, p: 1 }
  const statistic = (Math.abs(gained - lost) - 1) ** 2 / (gained + lost)
  return { statistic, p: complementaryError(Math.sqrt(statistic / 2)) }
}

function checkCounts(...counts: readonly number[]): void {
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) throw new RangeError(`${counts.join(' and ')} are no counts`)
}
