import { describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import type { Bridge } from '../../../main/ipc/bridge.ts'
import type { DetectedBox, Generation, TemplateEntry } from '../../../main/ipc/contract.ts'
import { fileBase64 } from '../../../renderer/state/file-base64.ts'
import { RepairState, WHOLE_PICTURE } from '../../../renderer/state/repair.svelte.ts'
import { templateUse } from '../../../renderer/state/template-use.ts'

type Answer = (args: Record<string, unknown>) => unknown
const FAULT = new HalfstepError('onnx.malformed', 'It is no ONNX file.', 'Choose another.')

/** A bridge whose calls are answered by functions; what they throw is the error of the reply. */
function repairing(answers: Readonly<Record<string, Answer>>) {
  const listeners = new Map<string, (payload: unknown) => void>()
  const calls: { readonly name: string; readonly args: Record<string, unknown> }[] = []
  const bridge = {
    async call(name: string, args: Record<string, unknown>) {
      calls.push({ name, args })
      try {
        return { ok: true, value: await answers[name]?.(args) }
      } catch (error) {
        return { ok: false, error }
      }
    },
    on: (name: string, listener: (payload: unknown) => void) => listeners.set(name, listener),
  } as unknown as Bridge
  const repair = new RepairState(bridge)
  repair.settings.modelId = 'model'
  return {
    repair,
    say: (name: string, payload: unknown) => listeners.get(name)?.(payload),
    named: (name: string) => calls.filter((call) => call.name === name),
  }
}

const generation = (position: number, changes: Partial<Generation> = {}): Generation => ({
  id: `g${position}`, batch: 'b', position, prompt: 'a hand', seed: position, recipe: {}, modelId: 'm2', width: 512, height: 512,
  url: `/library/${position}`, thumbnail: '', source: { url: '/library/before', thumbnail: '' }, createdAt: '', ...changes,
})
const drawn = (...generations: Generation[]) => ({ batch: 'b', seed: 1, generations, notes: ['A note.'] })
const box = (label: string | null, score: number): DetectedBox => ({ left: 100, top: 40, width: 50, height: 100, label, score })

describe('a repair', () => {
  it('begins with a file’s bytes, or says what is wrong with them', async () => {
    const taken = { picture: 'sha', url: '/library/pictures/sha.png', thumbnail: '', width: 40, height: 30 }
    const { repair, named } = repairing({ 'pictures.import': ({ name }) => (name === 'a.png' ? taken : Promise.reject(FAULT)) })
    await repair.openFile(new File(['bad'], 'b.png'))
    expect([repair.picture, repair.problem?.message, repair.opening]).toEqual([undefined, 'It is no ONNX file.', false])
    await repair.openFile(new File(['good'], 'a.png'))
    expect(repair.picture).toEqual({ source: { picture: 'sha' }, name: 'a.png', url: taken.url, width: 40, height: 30 })
    expect(repair.problem).toBeUndefined()
    expect(named('pictures.import')[1]!.args['base64']).toBe(btoa('good'))
  })

  it('begins from a picture of the studio with what it was made by', () => {
    const { repair } = repairing({})
    const recipe = { adapters: [{ id: 'a', strength: 0.8 }, { id: 7 }, null] }
    repair.mask.add({ kind: 'invert' })
    repair.openGeneration(generation(3, { recipe }))
    expect(repair.picture?.source).toEqual({ generation: 'g3' })
    expect(repair.settings).toMatchObject({ prompt: 'a hand', modelId: 'm2', adapters: [{ id: 'a', strength: 0.8 }] })
    expect(repair.mask.isEmpty).toBe(true)
  })

  it('shows variants as they come, the first at once, each once and in order', async () => {
    const replies = Promise.withResolvers<unknown>()
    const { repair, say, named } = repairing({ 'studio.repair': () => replies.promise })
    repair.openGeneration(generation(9))
    repair.settings.surroundings = WHOLE_PICTURE
    const asked = repair.repair('bWFzaw==', { use: 'hands', slots: {} })
    expect(repair.task).toBeDefined()
    say('studio.picture', { generation: generation(1) })
    say('studio.picture', { generation: generation(5, { source: null }) })
    expect(repair.chosen?.id).toBe('g1')
    replies.resolve(drawn(generation(0), generation(1)))
    await asked
    expect(repair.variants.map(({ id }) => id)).toEqual(['g0', 'g1'])
    expect([repair.chosen?.id, repair.task, repair.notes]).toEqual(['g1', undefined, ['A note.']])
    expect(named('studio.repair')[0]!.args).toMatchObject({
      source: { generation: 'g9' }, mask: 'bWFzaw==', context: null, strength: 0.75, count: 4, template: { use: 'hands', slots: {} },
    })
  })

  it('keeps what came before it was stopped, without complaint', async () => {
    const replies = Promise.withResolvers<unknown>()
    const { repair, say, named } = repairing({ 'studio.repair': () => replies.promise })
    repair.openGeneration(generation(9))
    const asked = repair.repair('bWFzaw==', undefined)
    say('studio.picture', { generation: generation(0) })
    await repair.cancel()
    expect(named('tasks.cancel')[0]!.args['task']).toBe(repair.task)
    replies.reject(new HalfstepError('cancelled', 'It was cancelled.'))
    await asked
    expect([repair.variants.length, repair.problem, repair.task]).toEqual([1, undefined, undefined])
  })

  it('leaves another picture alone that was opened meanwhile', async () => {
    const replies = Promise.withResolvers<unknown>()
    const { repair, say } = repairing({ 'studio.repair': () => replies.promise })
    repair.openGeneration(generation(9))
    const asked = repair.repair('bWFzaw==', undefined)
    repair.openGeneration(generation(8))
    say('studio.picture', { generation: generation(0) })
    replies.resolve(drawn(generation(0)))
    await asked
    expect(repair.variants).toEqual([])
  })

  it('puts the other variants into the bin when one is kept', async () => {
    const { repair, named } = repairing({ 'studio.repair': () => drawn(generation(0), generation(1), generation(2)) })
    repair.openGeneration(generation(9))
    await repair.repair('bWFzaw==', undefined)
    expect(await repair.keepOnly('g1')).toBe(2)
    expect(repair.variants.map(({ id }) => id)).toEqual(['g1'])
    expect(named('studio.remove').map(({ args }) => args['id'])).toEqual(['g0', 'g2'])
  })
})

describe('proposals', () => {
  it('have names of their own, and mark the picture with a little around them', async () => {
    const { repair } = repairing({ 'studio.detectHands': () => ({ boxes: [box('hand', 0.9), box('hand', 0.8), box(null, 0.7)] }) })
    repair.openGeneration(generation(9))
    await repair.detect()
    expect(repair.proposals?.map(({ name }) => name)).toEqual(['Hand 1', 'Hand 2', 'Place 1'])
    const [first] = repair.proposals!
    repair.toggle(first!)
    const marked = { kind: 'rectangle', erase: false, left: 92, top: 32, width: 66, height: 116, proposal: 'Hand 1' }
    expect(repair.mask.changes).toEqual([marked])
    repair.toggle(first!)
    expect(repair.mask.marked.size).toBe(0)
  })

  it('are none, with the reason, where the file is no detector', async () => {
    const { repair } = repairing({ 'studio.detectHands': () => Promise.reject(FAULT), 'studio.detector': () => ({ path: '/hands.onnx' }) })
    await repair.load()
    expect(repair.detector).toBe('/hands.onnx')
    repair.openGeneration(generation(9))
    await repair.detect()
    expect([repair.proposals, repair.problem?.message, repair.detecting]).toEqual([undefined, 'It is no ONNX file.', undefined])
  })
})

describe('a template for drawing', () => {
  const entry = (slots: TemplateEntry['template']['slots']): TemplateEntry => ({
    key: 'hands', name: 'hands', builtIn: true, updatedAt: null,
    template: { version: 1, name: 'hands', description: '', slots, switch: 'hard', stages: [] },
  })

  it('goes by its key with the slots that were filled and that it has', () => {
    const templates = [entry({ subject: { description: '' }, thing: { description: '' }, place: { description: '', default: 'a table' } })]
    expect(templateUse(templates, { key: 'hands', slots: { thing: 'a cup', place: ' ', other: 'x', subject: 'y' } }))
      .toEqual({ use: 'hands', slots: { thing: 'a cup' } })
  })

  it('is none where none is chosen, or it is gone', () => {
    expect(templateUse([], { key: null, slots: {} })).toBeUndefined()
    expect(templateUse(undefined, { key: 'hands', slots: {} })).toBeUndefined()
  })
})

it('bytes travel as base64, however many there are', async () => {
  const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => (i * 31) % 256)
  expect(await fileBase64(new Blob([bytes]))).toBe(Buffer.from(bytes).toString('base64'))
  expect(await fileBase64(new Blob([]))).toBe('')
})
