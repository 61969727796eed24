import { describe, expect, it } from 'vitest'
import { pairedChange } from '../../../main/engine/evaluation/paired-change.ts'
import { summariseArm } from '../../../main/engine/evaluation/summarise-arm.ts'
import { chance, verdictOf } from '../../../main/engine/evaluation/verdict.ts'
import type { EvaluatedArm, JudgedPicture } from '../../../main/engine/protocol.ts'
import { PROMPTS, arm } from './arms.ts'

const times = (count: number, outcome: string): string[] => Array<string>(count).fill(outcome)
/** 40 pictures of which half have five fingers. */
const BASE = [...times(20, '5'), ...times(20, '6')]
const verdict = (before: EvaluatedArm, after: EvaluatedArm) =>
  verdictOf(summariseArm(before, PROMPTS), summariseArm(after, PROMPTS), pairedChange(before, after, PROMPTS))

/** Scores that rise by 0.2, give or take a little. */
const scored = (by: number): Partial<JudgedPicture>[] => BASE.map((_, i) => ({ score: 0.4 + by + 0.01 * (i % 3), reading: '5' }))

describe('the verdict', () => {
  it('is a significant gain when the judge sees one', () => {
    const { kind, sentence, costs } = verdict(arm('before', BASE), arm('after', [...times(38, '5'), '6', '6']))
    expect(kind).toBe('gain')
    expect(sentence).toBe('Significant gain: the judge sees five fingers in 95.0 % of the pictures instead of 50.0 % (p = 8e-6).')
    expect(costs).toEqual([])
  })

  it('is no significant change when chance could have done it, however high the rate', () => {
    const after = arm('after', [...times(25, '5'), ...times(15, '6')])
    const dull = { ...after, pictures: after.pictures.map((picture) => ({ ...picture, score: 0.1 })) }
    const { kind, sentence } = verdict(arm('before', BASE), dull)
    expect(kind).toBe('unchanged')
    expect(sentence).toMatch(/^No significant change: .*62\.5 %.*50\.0 % \(p = 0\.063\)/)
  })

  it('is reward hacking when the critic rises and the judge does not', () => {
    const raised = scored(0.2).map((other, i) => ({ ...other, score: other.score! + 0.01 * (i % 2) }))
    const { kind, sentence } = verdict(arm('before', BASE, scored(0)), arm('after', BASE, raised))
    expect(kind).toBe('hacking')
    expect(sentence).toMatch(/^Reward hacking: the critic rose from 0\.410 to 0\.615, the judge did not: five fingers in 50\.0 %/)
  })

  it('is reward hacking when the critic rises and the judge falls', () => {
    const fewer = [...times(5, '5'), ...times(35, '6')]
    expect(verdict(arm('before', BASE, scored(0)), arm('after', fewer, scored(0.2))).kind).toBe('hacking')
  })

  it('is a loss when both fall', () => {
    const fewer = [...times(5, '5'), ...times(35, '6')]
    expect(verdict(arm('before', BASE, scored(0.2)), arm('after', fewer, scored(0))).kind).toBe('loss')
  })

  it('does not call it hacking when the judge rises as well, only on too few pictures to be sure', () => {
    const few = arm('before', ['5', '6', '6', '6', '6', '6'])
    const { kind, sentence } = verdict(few, arm('after', ['5', '5', '5', '5', '5', '6']))
    expect([kind, sentence.slice(0, 21)]).toEqual(['unchanged', 'No significant change'])
  })

  it('says of a gain how much of the critic\'s rise the judge does not see', () => {
    const before = arm('before', [...times(10, '5'), ...times(30, '6')], scored(-0.3))
    const { kind, costs } = verdict(before, arm('after', [...times(20, '5'), ...times(20, '6')], scored(0.5)))
    expect(kind).toBe('gain')
    expect(costs[0]).toMatch(/^Of the critic's rise of 0\.800 the judge does not see 0\.550/)
  })

  it('does not call it hacking when critic and judge rise together', () => {
    expect(verdict(arm('before', BASE, scored(0)), arm('after', times(40, '5'), scored(0.3))).kind).toBe('gain')
  })

  it('names what a gain has cost: form, a colour, diversity, agreement', () => {
    const before = arm('before', [...times(8, '5'), ...times(32, '6')])
    const outcomes = [...times(28, '5'), ...times(12, 'ill-formed')]
    const spoilt = arm('after', outcomes, outcomes.map((_, i) => ({ ...(i % 4 === 1 ? { background: 'teal' } : {}), reading: '6' })))
    const { kind, costs } = verdict(before, { ...spoilt, diversity: spoilt.diversity.map((value, i) => value - 3 - 0.1 * i) })
    expect(kind).toBe('gain')
    expect(costs.map((cost) => cost.replace(/ \(.*/, ''))).toEqual([
      'Fewer pictures are well-formed',
      'Fewer pictures have the blue background they should have',
      'Pictures of one prompt are more alike',
      'Critic and judge agree less often',
    ])
  })

  it('does not complain of a colour that one picture has lost', () => {
    const after = arm('after', times(40, '5'), [{ background: 'teal' }])
    expect(verdict(arm('before', BASE), after).costs).toEqual([])
  })
})

it.each([[0.024, 'p = 0.024'], [1, 'p = 1'], [3.4e-9, 'p = 3e-9'], [0.0009, 'p = 9e-4']])('the chance of %d is said as %s', (p, text) => {
  expect(chance(p)).toBe(text)
})
