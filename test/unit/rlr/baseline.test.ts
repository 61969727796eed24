import { describe, expect, it } from 'vitest'
import { leaveOneOut, normalisedAdvantages } from '../../../main/engine/rlr/baseline.ts'

describe('leaveOneOut', () => {
  it('is the mean of the prompt\'s other samples', () => {
    expect([...leaveOneOut([1, 2, 6, 10, 20], [0, 0, 0, 1, 1])]).toEqual([4, 3.5, 1.5, 20, 10])
  })

  it('takes all others for a prompt with one sample, and zero for a sample alone', () => {
    expect([...leaveOneOut([1, 2, 6], [0, 1, 2])]).toEqual([4, 3.5, 1.5])
    expect([...leaveOneOut([7], [0])]).toEqual([0])
  })

  it('does not depend on the sample\'s own reward', () => {
    expect(leaveOneOut([1, 5, 3], [0, 0, 1])[0]).toBe(leaveOneOut([100, 5, 3], [0, 0, 1])[0])
  })
})

describe('normalisedAdvantages', () => {
  it('has mean 0 and standard deviation 1 within each prompt', () => {
    const advantages = normalisedAdvantages([1, 3, 100, 300], [0, 0, 1, 1])
    expect([...advantages]).toEqual([-1, 1, -1, 1])
  })

  it('normalises single samples among the batch, and gives equal rewards no advantage', () => {
    expect([...normalisedAdvantages([1, 3], [0, 1])]).toEqual([-1, 1])
    expect([...normalisedAdvantages([2, 2, 2], [0, 0, 0])]).toEqual([0, 0, 0])
  })
})
