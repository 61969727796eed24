import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import { drawWithoutRepetition, partition, windowProbabilities } from '../../../main/engine/rlr/windows.ts'

/** How often each index is drawn, and the mean of what its weights add up to. */
function frequencies(probabilities: readonly number[], count: number, draws = 20_000): { drawn: number[]; weight: number[] } {
  const random = new Random(1)
  const drawn = probabilities.map(() => 0)
  const weight = probabilities.map(() => 0)
  for (let draw = 0; draw < draws; draw++) {
    const [u = 0] = random.uniform('window', [draw], 1)
    for (const one of drawWithoutRepetition(probabilities, count, u)) {
      drawn[one.index]! += 1 / draws
      weight[one.index]! += one.weight / draws
    }
  }
  return { drawn, weight }
}

describe('windows drawn without repetition', () => {
  it.each([
    [[0.25, 0.25, 0.25, 0.25], 2],
    [[0.1, 0.2, 0.3, 0.4], 2],
    [[0.7, 0.1, 0.1, 0.1], 2],
    [[0.45, 0.45, 0.04, 0.03, 0.03], 3],
  ])('of %j, %i a time, come as many as asked for, none twice, and weigh 1 on average', (probabilities, count) => {
    for (const u of [0, 0.001, 0.37, 0.5, 0.999]) {
      const indices = drawWithoutRepetition(probabilities, count, u).map(({ index }) => index)
      expect(indices.length).toBe(count)
      expect(new Set(indices).size).toBe(count)
    }
    // Three standard errors of a share of one half.
    const bound = 3 * Math.sqrt(0.25 / 20_000)
    const { drawn, weight } = frequencies(probabilities, count)
    weight.forEach((mean, i) => expect(Math.abs(mean - 1) * drawn[i]!).toBeLessThan(bound))
  })

  it('come as often as they are proposed', () => {
    const { drawn } = frequencies([0.1, 0.2, 0.3, 0.4], 2)
    drawn.forEach((share, i) => expect(share).toBeCloseTo([0.2, 0.4, 0.6, 0.8][i]!, 1))
  })

  it('are all of them, each once and with a weight of 1, when there are no more than asked for', () => {
    for (const count of [3, 4, 9]) {
      expect(drawWithoutRepetition([0.2, 0.3, 0.5], count, 0.4)).toEqual([0, 1, 2].map((index) => ({ index, weight: 1 })))
    }
  })

  it('leave out what has no chance', () => {
    expect(drawWithoutRepetition([0, 0.5, 0.5], 3, 0.4)).toEqual([1, 2].map((index) => ({ index, weight: 1 })))
    expect(drawWithoutRepetition([0, 1], 1, 0).map(({ index }) => index)).toEqual([1])
  })

  it('follow a template, which never leaves a window without a chance', () => {
    const windows = partition(7, 2)
    expect(windows.at(-1)).toEqual({ first: 6, last: 6 })
    const probabilities = windowProbabilities(windows, { kind: 'emphasis', perStep: [1, 1, 0, 0, 0, 0, 0] })
    const { drawn } = frequencies(probabilities, 1)
    expect(drawn[0]).toBeGreaterThan(0.9)
    expect(Math.min(...drawn)).toBeGreaterThan(0.01)
  })
})
