import { describe, expect, it } from 'vitest'
import { pairedChange } from '../../../main/engine/evaluation/paired-change.ts'
import { summariseArm } from '../../../main/engine/evaluation/summarise-arm.ts'
import { PROMPTS, arm } from './arms.ts'

describe('a summary of an arm', () => {
  const summary = summariseArm(arm('base', ['5', '6', 'ill-formed', 'no hand']), PROMPTS)
  it('counts outcomes, each picture once', () => {
    expect(summary.outcomes).toEqual({ '5': 1, '6': 1, 'ill-formed': 1, 'no hand': 1 })
    expect([summary.five.successes, summary.wellFormed.successes, summary.noHand.successes, summary.pictures]).toEqual([1, 2, 1, 4])
  })
  it('has Wilson intervals', () => {
    expect(summary.five.low).toBeCloseTo(0.0456, 4)
    expect(summary.five.high).toBeCloseTo(0.6994, 4)
  })
  it('compares colours with the words of the prompt, per colour, and asks nothing of prompts without', () => {
    const pictures = arm('base', ['5', '5', '5', '5'], [{ background: 'teal' }, { skin: null }, {}, {}])
    const { background, skin, colours } = summariseArm(pictures, PROMPTS)
    expect([background, skin].map(({ successes, trials }) => [successes, trials])).toEqual([[2, 3], [2, 3]])
    expect(colours.map(({ of, word, right: { successes, trials } }) => [of, word, successes, trials])).toEqual([
      ['background', 'blue', 1, 1], ['background', 'red', 1, 2], ['skin', 'pale', 2, 2], ['skin', 'tan', 0, 1],
    ])
  })
  it('says where critic and judge agree, on five fingers and on the number', () => {
    const readings = ['5', '5', 'unclear', '7'].map((reading) => ({ reading }))
    const pictures = arm('base', ['5', '6', 'ill-formed', '6'], readings)
    const { agreement, countAgreement } = summariseArm(pictures, PROMPTS)
    expect([agreement.successes, agreement.trials, countAgreement.successes, countAgreement.trials]).toEqual([3, 4, 1, 3])
  })
})

describe('a paired change', () => {
  const before = arm('before', ['6', '6', '5', '4', '5', '6'])
  const after = arm('after', ['5', '5', '5', '5', '6', '6'])
  const change = pairedChange(before, after, PROMPTS)

  it('counts what was gained and lost, and tests it exactly', () => {
    // 3 gained, 1 lost: 2 · (C(4,0) + C(4,1)) / 2⁴
    expect(change.five).toEqual({ gained: 3, lost: 1, p: 0.625 })
    expect(change.wellFormed).toEqual({ gained: 0, lost: 0, p: 1 })
  })
  it('tells where each outcome went', () => {
    expect(change.transitions).toEqual([
      { from: '6', to: '5', count: 2 }, { from: '5', to: '5', count: 1 }, { from: '4', to: '5', count: 1 },
      { from: '5', to: '6', count: 1 }, { from: '6', to: '6', count: 1 },
    ])
  })
  it('takes the spread of differences, not of the figures themselves', () => {
    const spread = arm('before', Array(4).fill('5'), [0.1, 0.5, 0.7, 0.9].map((score) => ({ score })))
    const raised = arm('after', Array(4).fill('5'), [0.2, 0.6, 0.8, 1].map((score) => ({ score })))
    const { score } = pairedChange(spread, raised, PROMPTS)
    expect(score.value).toBeCloseTo(0.1)
    expect(score.standardError).toBeLessThan(1e-9)
  })
  it('is refused for arms of other noises, other prompts or another number', () => {
    const others = [
      { ...after, pictures: after.pictures.map((picture) => ({ ...picture, seed: picture.seed + 1 })) },
      { ...after, pictures: after.pictures.map((picture) => ({ ...picture, prompt: 0 })) },
      { ...after, pictures: after.pictures.slice(1) },
      { ...after, pictures: [...after.pictures, ...after.pictures] },
    ]
    for (const other of others) expect(() => pairedChange(before, other, PROMPTS)).toThrow(/same prompts and noises/)
  })
})
