import { describe, expect, it } from 'vitest'
import { promptsAt, textsOf } from '../../../main/engine/pipeline/prompt-schedule.ts'
import { parseTemplate } from '../../../main/engine/templates/template.ts'

const template = parseTemplate({
  version: 1,
  name: 'two',
  slots: { subject: { description: '' } },
  switch: { blend: 0.2 },
  stages: [
    { name: 'early', span: [1, 0.5], prompt: '{subject} early', negative: 'no {subject}', guidance: 9 },
    { name: 'late', span: [0.5, 0], prompt: '{subject} late' },
  ],
}, 'two.json')

describe('without a template', () => {
  it('every step has the prompt, and null where nothing is said against it', () => {
    expect(promptsAt({ prompt: 'a fox', guidance: 5 }, 0.3)).toEqual({
      conditional: [{ text: 'a fox', weight: 1 }], unconditional: [{ text: null, weight: 1 }], guidance: 5,
    })
    expect(promptsAt({ prompt: 'a fox', negative: '', guidance: 5 }, 0.3).unconditional).toEqual([{ text: '', weight: 1 }])
  })
})

describe('with a template', () => {
  const plan = { prompt: 'a fox', negative: 'fog', guidance: 5, template: { template, slots: {} } }

  it('the prompt fills the slot subject, and the negative adds to the stage\'s own', () => {
    expect(promptsAt(plan, 0.9)).toEqual({
      conditional: [{ text: 'a fox early', weight: 1 }], unconditional: [{ text: 'no a fox, fog', weight: 1 }], guidance: 9,
    })
    expect(promptsAt(plan, 0.1).unconditional).toEqual([{ text: 'fog', weight: 1 }])
  })

  it('a slot that is given outweighs the prompt', () => {
    expect(promptsAt({ ...plan, template: { template, slots: { subject: 'a dog' } } }, 0.1).conditional[0]?.text).toBe('a dog late')
  })

  it('prompts and guidance are mixed near a border', () => {
    const { conditional, guidance } = promptsAt(plan, 0.55)
    expect(conditional).toEqual([
      { text: 'a fox early', weight: expect.closeTo(0.75) as number },
      { text: 'a fox late', weight: expect.closeTo(0.25) as number },
    ])
    expect(guidance).toBeCloseTo(0.75 * 9 + 0.25 * 5)
  })

  it('every text along the chain is named once', () => {
    expect(textsOf(plan, [0.9, 0.55, 0.2, 0.1])).toEqual(['a fox early', 'no a fox, fog', 'a fox late', 'fog'])
  })
})
