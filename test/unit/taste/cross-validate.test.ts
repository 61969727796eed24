import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import type { Comparison } from '../../../main/engine/taste/bradley-terry.ts'
import { crossValidate } from '../../../main/engine/taste/cross-validate.ts'
import { standardise } from '../../../main/engine/taste/standardise.ts'
import { pairs } from './example-pictures.ts'

const COUNT = 60
const WIDTH = 30

/** Things of many features, of which a preference may follow the first. */
function things(seed: number): readonly Float64Array[] {
  const { data } = new Random(seed).normal('sample', [0], [COUNT * WIDTH])
  return standardise(Array.from({ length: COUNT }, (_, n) => data.slice(n * WIDTH, (n + 1) * WIDTH))).things
}

const byChance = (seed: number): Comparison[] =>
  pairs(80, COUNT, seed).map(({ left, right, chance }) => ({ first: left, second: right, outcome: chance < 0.5 ? 1 : 0 }))

describe('the accuracy that a person is told', () => {
  it('is that of guessing when the choices are random, again and again', () => {
    const tries = Array.from({ length: 16 }, (_, seed) => crossValidate(things(seed), byChance(100 + seed)))
    const mean = tries.reduce((sum, { share }) => sum + share, 0) / tries.length
    expect(mean).toBeGreaterThan(0.44)
    expect(mean).toBeLessThan(0.56)
    // A 95 % interval leaves 2.5 % of chance above it; of 16 tries, 3 or more come in less than one case of a hundred.
    expect(tries.filter(({ low }) => low > 0.5).length).toBeLessThan(3)
  })

  it('is above chance when the choices follow a feature', () => {
    const all = things(1)
    const choices = pairs(80, COUNT, 7).map(({ left, right }): Comparison => ({
      first: left, second: right, outcome: all[left]![0]! > all[right]![0]! ? 1 : 0,
    }))
    expect(crossValidate(all, choices).low).toBeGreaterThan(0.55)
  })

  it('never asks about something that was learned from', () => {
    // Three things, each compared with each: whatever is held back leaves nothing unseen to learn from.
    const choices: Comparison[] = [[0, 1], [1, 2], [0, 2]].map(([first, second]) => ({ first: first!, second: second!, outcome: 1 }))
    expect(crossValidate(things(2), choices)).toMatchObject({ trials: 0, low: 0, high: 1 })
  })

  it('counts only comparisons in which something was chosen', () => {
    const choices = byChance(3).map((choice, n): Comparison => (n % 4 === 0 ? { ...choice, outcome: 0.5 } : choice))
    expect(crossValidate(things(3), choices).trials).toBe(60)
  })
})
