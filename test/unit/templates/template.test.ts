import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { builtInTemplates, loadTemplate } from '../../../main/engine/templates/load-template.ts'
import { emphasisPerStep, stageWeights } from '../../../main/engine/templates/stages.ts'
import { fillSlots, parseTemplate, slotsIn } from '../../../main/engine/templates/template.ts'

const stage = (name: string, from: number, to: number, more: object = {}) =>
  ({ name, span: [from, to], prompt: `{subject}, ${name}`, ...more })
const THREE = {
  version: 1,
  name: 'three',
  slots: { subject: { description: 'what it shows' }, place: { description: 'where', default: 'a room' } },
  stages: [
    stage('coarse', 1, 0.8, { emphasis: 0 }),
    stage('middle', 0.8, 0.6),
    stage('fine', 0.6, 0, { emphasis: 0.5, prompt: '{subject} in {place}' }),
  ],
}
const blended = { ...THREE, switch: { blend: 0.1 } }
const parse = (raw: unknown) => parseTemplate(raw, 'three.json')

describe('a template is refused, naming the file and the key, with', () => {
  it.each([
    ['a key that is not known', { ...THREE, stagse: [] }, /three\.json .*stagse/],
    ['a version of the future', { ...THREE, version: 2 }, /version/],
    ['a mistyped key in a stage', { ...THREE, stages: [{ ...stage('all', 1, 0), promt: '' }] }, /stages\.0.*promt/],
    ['no stage', { ...THREE, stages: [] }, /stages/],
    ['a first stage that does not begin at 1', { ...THREE, stages: [stage('all', 0.9, 0)] }, /stages\.0\.span: .*0\.9/],
    ['a last stage that does not end at 0', { ...THREE, stages: [stage('all', 1, 0.1)] }, /stages\.0\.span: .*0\.1/],
    ['a hole', { ...THREE, stages: [stage('a', 1, 0.6), stage('b', 0.5, 0)] }, /stages\.1\.span: no stage covers .*0\.6 and 0\.5/],
    ['an overlap', { ...THREE, stages: [stage('a', 1, 0.4), stage('b', 0.5, 0)] }, /stages\.1\.span: b begins at 0\.5/],
    ['a span that runs upwards', { ...THREE, stages: [stage('a', 0, 1)] }, /stages\.0\.span: .*downwards/],
    ['a span outside of the schedule', { ...THREE, stages: [stage('a', 1.5, 0)] }, /stages\.0\.span/],
    ['a slot that is not declared', { ...THREE, stages: [stage('a', 1, 0, { negative: '{colour}' })] }, /stages\.0\.negative: \{colour\}/],
    ['a slot of an odd name', { ...THREE, slots: { ...THREE.slots, 'A b': { description: '' } } }, /slots/],
    ['a blend wider than a stage', { ...THREE, switch: { blend: 0.3 } }, /switch\.blend: 0\.3 is wider than the stage coarse/],
    ['no emphasis anywhere', { ...THREE, stages: [stage('a', 1, 0, { emphasis: 0 })] }, /emphasis/],
    ['anything that is no object', 'hands', /three\.json/],
  ])('%s', (_, raw, message) => {
    const error = { code: 'template.malformed', message: expect.stringMatching(message) as string }
    expect(() => parse(raw)).toThrow(expect.objectContaining(error) as Error)
  })
})

describe('slots', () => {
  const template = parse(THREE)
  it('are filled with values, else with defaults', () => {
    expect(fillSlots(template, '{subject} in {place}', { subject: 'a $& fox' })).toBe('a $& fox in a room')
    expect(slotsIn('{a} and {b}, {a}')).toEqual(['a', 'b', 'a'])
  })
  it('without value and default are refused, and values without a slot', () => {
    expect(() => fillSlots(template, '{subject}', {})).toThrow(/The slot subject of the template three has no value/)
    expect(() => fillSlots(template, '', { colour: 'red' })).toThrow(/has no slot colour/)
  })
})

describe('stages of a step', () => {
  const weights = (raw: unknown, fraction: number) =>
    stageWeights(parse(raw), fraction).map(({ stage: { name }, weight }) => [name, weight])
  it('switch hard at a border, which belongs to the later stage', () => {
    const names = [1, 0.801, 0.8, 0.6001, 0.6, 0].map((fraction) => weights(THREE, fraction)[0]?.[0])
    expect(names).toEqual(['coarse', 'coarse', 'middle', 'middle', 'fine', 'fine'])
  })
  it('blend linearly over the width around a border', () => {
    expect(weights(blended, 0.9)).toEqual([['coarse', 1]])
    expect(weights(blended, 0.8)).toEqual([['coarse', expect.closeTo(0.5)], ['middle', expect.closeTo(0.5)]])
    expect(weights(blended, 0.775)).toEqual([['coarse', expect.closeTo(0.25)], ['middle', expect.closeTo(0.75)]])
    expect(weights(blended, 0.7)).toEqual([['middle', 1]])
  })
  it('always sum to 1', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(THREE, blended), (fraction, raw) => {
      const all = stageWeights(parse(raw), fraction)
      expect(all.length).toBeLessThanOrEqual(2)
      expect(all.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12)
    }))
  })
  it('carry their emphasis to the steps', () => {
    expect(emphasisPerStep(parse(THREE), [981, 701, 1], 1000)).toEqual([0, 1, 0.5])
    expect(emphasisPerStep(parse(blended), [800], 1000)[0]).toBeCloseTo(0.5)
  })
})

describe('the templates that come with the program', () => {
  it('are all there', async () => {
    const names = ['eyes', 'faces', 'feet', 'hands-five-fingers', 'hands-holding-object', 'hands-two', 'lettering', 'starter-hand']
    expect(await builtInTemplates()).toEqual(names)
  })
  it('are in order, named as their files, in three stages, and filled by a subject alone', async () => {
    for (const name of await builtInTemplates()) {
      const template = await loadTemplate(name)
      expect(template.name).toBe(name)
      expect(template.stages.map((part) => part.name)).toEqual(['coarse', 'middle', 'fine'])
      for (const { prompt, negative } of template.stages) {
        expect(fillSlots(template, prompt, { subject: 'a man waving' })).toMatch(/^a man waving, [^{}]+$/)
        expect(fillSlots(template, negative, { subject: 'x' })).not.toMatch(/[{}]/)
      }
    }
  })
  it('has the five fingers\' emphasis where the paper has it: steps 30 to 40 of 50, counted from the clean end', async () => {
    const timesteps = Array.from({ length: 50 }, (_, i) => 981 - 20 * i)
    const emphasis = emphasisPerStep(await loadTemplate('hands-five-fingers'), timesteps, 1000)
    const most = Math.max(...emphasis)
    const strongest = emphasis.flatMap((value, i) => (value > 0.6 * most ? [50 - i] : []))
    expect([Math.min(...strongest), Math.max(...strongest)]).toEqual([31, 40])
  })
})
