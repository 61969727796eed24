import { describe, expect, it } from 'vitest'
import { complementaryError } from '../../../main/engine/statistics/complementary-error.ts'
import { mcnemarCorrected, mcnemarExact } from '../../../main/engine/statistics/mcnemar.ts'

/** Binomial tails by exact integer arithmetic (Python's math.comb), χ² tails by its math.erfc. */
const KNOWN = [
  [12, 5, 0.143463134765625, 2.1176470588235294, 0.14561009539686695],
  [34, 17, 0.024092907698449295, 5.019607843137255, 0.025061844343883616],
  [57, 32, 0.010546897231105518, 6.47191011235955, 0.010959268093534688],
  [74, 18, 3.101449556521141e-9, 32.880434782608695, 9.800466115865405e-9],
  [121, 59, 4.434449263755176e-6, 20.67222222222222, 5.450094825427123e-6],
  [600, 500, 0.0028195449914364275, 8.91, 0.002836132655654686],
] as const

describe('McNemar\'s test', () => {
  it.each(KNOWN)('of %i gained and %i lost is as known, exact and corrected', (gained, lost, exact, statistic, p) => {
    expect(mcnemarExact(gained, lost) / exact).toBeCloseTo(1, 9)
    expect(mcnemarCorrected(gained, lost).statistic).toBeCloseTo(statistic, 9)
    expect(mcnemarCorrected(gained, lost).p / p).toBeCloseTo(1, 9)
  })

  it('does not care which way is called gained', () => {
    expect(mcnemarExact(5, 12)).toBe(mcnemarExact(12, 5))
    expect(mcnemarCorrected(5, 12)).toEqual(mcnemarCorrected(12, 5))
  })

  it('finds nothing where as many are gained as lost, or nothing changed', () => {
    for (const count of [0, 3, 700]) {
      expect(mcnemarExact(count, count)).toBe(1)
      expect(mcnemarCorrected(count, count)).toEqual({ statistic: 0, p: 1 })
    }
  })

  it('stays exact where 2⁻ⁿ is no number any more', () => {
    expect(mcnemarExact(3000, 3000)).toBe(1)
    expect(mcnemarExact(3100, 2900)).toBeCloseTo(0.0102, 3)
  })

  it('refuses what is no count', () => {
    expect(() => mcnemarExact(-1, 2)).toThrow(RangeError)
    expect(() => mcnemarCorrected(1.5, 2)).toThrow(RangeError)
  })
})

describe('erfc', () => {
  it.each([[0, 1], [0.1, 0.8875370839817152], [1.9, 0.0072095707647425325], [2.1, 0.002979466656332984], [5, 1.5374597944280351e-12]])(
    'of %d is %d', (x, value) => expect(complementaryError(x) / value).toBeCloseTo(1, 11),
  )
})
