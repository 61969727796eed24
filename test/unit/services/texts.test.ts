import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { parseJsonObject } from '../../../main/services/parse-json.ts'
import { nextPair } from '../../../main/services/rewards/next-pair.ts'
import { type LibraryFixture, openFixture, quietTask } from './library-fixture.ts'

const TEMPLATE = { version: 1, name: 'Paws', stages: [] }

let fixture: LibraryFixture

beforeEach(() => {
  fixture = openFixture({
    'template.builtIn': () => [{ key: 'hands', template: { ...TEMPLATE, name: 'hands' } }],
    'template.check': ({ template }) => {
      if (typeof template !== 'object' || template === null || !('stages' in template)) {
        throw new HalfstepError('template.malformed', 'The template is no usable template; stages: it is missing.', 'Correct it there.')
      }
      return { template: { description: '', ...template } }
    },
    'reward.check': ({ reward }) => ({ reward: { weight: 1, ...(reward as object) } }),
    'reward.test': ({ pictures }) => pictures.map((_, i) => ({ value: i, parts: {} })),
  })
})

afterEach(() => fixture.close())

describe('sets of prompts', () => {
  it('are added, changed and put into the bin; those that come with Halfstep stay', () => {
    const { prompts } = fixture.services
    const builtIn = prompts.list().length
    const draft = { name: 'Mine', kind: 'held-out' as const, prompts: ['a {x}'], negative: 'blurry', slots: { x: ['cat'] } }
    const set = prompts.save(draft)
    expect(set).toMatchObject({ ...draft, builtIn: false })
    expect(prompts.save({ ...draft, key: set.key, prompts: [] })).toMatchObject({ key: set.key, prompts: [] })
    expect(prompts.list()).toHaveLength(builtIn + 1)
    expect(() => prompts.save({ ...draft, key: 'hands-training' })).toThrow(expect.objectContaining({ code: 'library.in-use' }))
    expect(() => prompts.remove('hands-training')).toThrow(expect.objectContaining({ code: 'library.in-use' }))
    prompts.remove(set.key)
    expect(prompts.list()).toHaveLength(builtIn)
  })

  it('that come with Halfstep hold no prompt in both kinds', () => {
    const of = (kind: string) => fixture.services.prompts.list().filter((set) => set.kind === kind).flatMap((set) => set.prompts)
    expect(of('held-out').filter((prompt) => of('training').includes(prompt))).toEqual([])
  })
})

describe('templates', () => {
  it('are kept as the engine completed them', async () => {
    const { templates } = fixture.services
    const saved = await templates.save(TEMPLATE)
    expect(saved).toMatchObject({ name: 'Paws', builtIn: false, template: { description: '', ...TEMPLATE } })
    expect((await templates.list()).map(({ name }) => name)).toEqual(['Paws', 'hands'])
    expect((await templates.save({ ...TEMPLATE, name: 'Claws' }, saved.key)).name).toBe('Claws')
    await expect(templates.save(TEMPLATE, 'hands')).rejects.toMatchObject({ code: 'library.in-use' })
    await expect(templates.remove('hands')).rejects.toMatchObject({ code: 'library.in-use' })
    await templates.remove(saved.key)
    expect(await templates.list()).toHaveLength(1)
  })

  it('are refused in the words of the engine, and not kept', async () => {
    const { templates } = fixture.services
    await expect(templates.import('{"name": "x"}', 'x.json')).rejects.toMatchObject({ code: 'template.malformed' })
    await expect(templates.import('{', 'x.json')).rejects.toMatchObject({ code: 'config.malformed' })
    expect(await templates.list()).toHaveLength(1)
  })

  it('ask the engine once for those that come with Halfstep', async () => {
    await fixture.services.templates.list()
    await fixture.services.templates.list()
    expect(fixture.engine.asked.filter(({ job }) => job === 'template.builtIn')).toHaveLength(1)
  })
})

describe('rewards', () => {
  it('are kept as the engine completed them, and tested on pictures', async () => {
    const { rewards } = fixture.services
    const reward = await rewards.save({ name: 'Critic', spec: { kind: 'onnx', path: '/a.onnx' }, notes: '' })
    expect(reward.spec).toEqual({ weight: 1, kind: 'onnx', path: '/a.onnx' })
    expect((await rewards.save({ ...reward, name: 'Judge' })).name).toBe('Judge')
    expect(rewards.list()).toHaveLength(1)
    const pictures = [{ path: '/a.png', prompt: '' }, { path: '/b.png', prompt: '' }]
    expect(await rewards.test(reward.spec, pictures, quietTask())).toEqual([{ value: 0, parts: {} }, { value: 1, parts: {} }])
    rewards.remove(reward.id)
    expect(rewards.list()).toEqual([])
  })

  it('list the judge that comes with the starter where it is there, after those of the person', async () => {
    const starter = join(fixture.folder, 'starter')
    const judge = join(starter, 'critic.onnx')
    mkdirSync(starter)
    writeFileSync(judge, '')
    const withStarter = openFixture({ 'reward.check': ({ reward }) => ({ reward: { ...(reward as object) } }) }, starter)
    try {
      const { rewards } = withStarter.services
      const own = await rewards.save({ name: 'Zebra', spec: { kind: 'onnx', path: '/a.onnx' }, notes: '' })
      const [first, builtIn] = rewards.list()
      expect(first).toEqual(own)
      expect(builtIn).toMatchObject({ builtIn: true, spec: { kind: 'critic', path: judge } })
      expect(rewards.get(builtIn!.id)).toEqual(builtIn)
      expect(() => rewards.remove(builtIn!.id)).toThrow(expect.objectContaining({ code: 'library.in-use' }))
    } finally {
      withStarter.close()
    }
  })
})

describe('JSON from elsewhere', () => {
  it('is an object of plain keys, not nested beyond reason', () => {
    expect(parseJsonObject('\uFEFF{"a": [1, null]}', 'x')).toEqual({ a: [1, null] })
    const deep = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`
    for (const text of ['', '[]', '1', 'null', '{"__proto__": {"x": 1}}', '{"a": {"__proto__": 1}}', deep, '['.repeat(1e5), '{"a": NaN}']) {
      expect(() => parseJsonObject(text, 'x.json'), text.slice(0, 30)).toThrow(expect.objectContaining({ code: 'config.malformed' }))
    }
  })
})

describe('the next pair to compare', () => {
  it('asks about every pair once, those first that were asked about least', () => {
    const ratings: { left: string; right: string }[] = []
    const pictures = ['a', 'b', 'c', 'd']
    for (let pair = nextPair(pictures, ratings); pair !== null; pair = nextPair(pictures, ratings)) {
      ratings.push({ left: pair[0], right: pair[1] })
      const counts = pictures.map((picture) => ratings.filter(({ left, right }) => left === picture || right === picture).length)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2)
    }
    expect(new Set(ratings.map(({ left, right }) => [left, right].sort().join(''))).size).toBe(6)
    expect(ratings).toHaveLength(6)
  })

  it('has none to offer of one picture', () => {
    expect(nextPair(['a'], [])).toBeNull()
  })
})
