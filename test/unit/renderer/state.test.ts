import { describe, expect, it, vi } from 'vitest'
import type { Bridge } from '../../../main/ipc/bridge.ts'
import type { Generation, RunSummary, Template, TemplateEntry } from '../../../main/ipc/contract.ts'
import { Answer } from '../../../renderer/state/answer.svelte.ts'
import { Bin } from '../../../renderer/state/bin.ts'
import { ConnectionState } from '../../../renderer/state/connection.svelte.ts'
import { DatasetImagesState } from '../../../renderer/state/dataset.svelte.ts'
import { RunListState } from '../../../renderer/state/run-list.svelte.ts'
import { StudioState } from '../../../renderer/state/studio.svelte.ts'
import { TemplatePreview } from '../../../renderer/state/template-preview.svelte.ts'
import { ToastState } from '../../../renderer/state/toasts.svelte.ts'

type Answers = Readonly<Record<string, (args: never) => unknown>>

/** A bridge whose calls are answered by functions, and through which a test says what happens. */
function fakeBridge(answers: Answers) {
  const listeners = new Map<string, (payload: unknown) => void>()
  const calls: [string, unknown][] = []
  const bridge = {
    async call(name: string, args: unknown) {
      calls.push([name, args])
      return { ok: true, value: await answers[name]?.(args as never) }
    },
    on(name: string, listener: (payload: unknown) => void) {
      listeners.set(name, listener)
      return () => listeners.delete(name)
    },
  } as unknown as Bridge
  return { bridge, calls, say: (name: string, payload: unknown) => listeners.get(name)?.(payload) }
}

const run = (id: string, state: RunSummary['state']): RunSummary => ({
  id, name: id, goal: 'fix-hands', state, device: 'cpu', modelId: null, modelName: null, adapterId: null, update: 0, updates: 10,
  reason: null, wish: null,
  firstReward: null, latestReward: null, seconds: 0, timeLeft: null, cover: null, createdAt: '', startedAt: null, endedAt: null,
})

describe('an answer', () => {
  it('is the last one that was asked for, whenever the others come', async () => {
    const replies = [Promise.withResolvers<{ ok: true; value: string }>(), Promise.withResolvers<{ ok: true; value: string }>()]
    let asked = 0
    const answer = new Answer(() => replies[asked++]!.promise)
    const both = [answer.load(), answer.load()]
    replies[1]!.resolve({ ok: true, value: 'second' })
    replies[0]!.resolve({ ok: true, value: 'first' })
    await Promise.all(both)
    expect([answer.value, answer.asking]).toEqual(['second', false])
  })
})

describe('the list of runs', () => {
  it('follows what happens in them, and knows which one a person would look at', async () => {
    const { bridge, say } = fakeBridge({ 'runs.list': () => [run('b', 'queued'), run('a', 'running')] })
    const runs = new RunListState(bridge)
    await runs.load()
    expect(runs.current?.id).toBe('a')
    const point = { update: 3, mean: 0.4, spread: 0, min: 0, max: 1, gradientNorm: 1, learningRate: 1, seconds: 5, parts: {} }
    say('runs.event', { run: 'a', event: { type: 'progress', point, timeLeft: 35 } })
    expect(runs.current).toMatchObject({ update: 3, timeLeft: 35, firstReward: 0.4, seconds: 5 })
    say('runs.event', { run: 'a', event: { type: 'sample', update: 3, pictures: [{ update: 3, position: 0, url: '/library/x' }] } })
    expect(runs.current?.cover).toBe('/library/x')
    say('runs.event', { run: 'a', event: { type: 'state', summary: run('a', 'finished') } })
    expect(runs.current?.id).toBe('b')
  })
})

describe('the pictures of a dataset', () => {
  it('are fetched page by page as they come into view, each page once', async () => {
    const image = (index: number) => ({ id: index + 1, name: `${index}`, caption: '', width: 1, height: 1, url: '', thumbnail: '' })
    const { bridge, calls } = fakeBridge({
      'datasets.images': ({ offset, limit }: { offset: number; limit: number }) => ({
        total: 1000, images: Array.from({ length: Math.min(limit, 1000 - offset) }, (_, index) => image(offset + index)),
      }),
    })
    const pictures = new DatasetImagesState(bridge, 'id')
    await pictures.load()
    expect([pictures.images.length, pictures.images[199]?.id, pictures.images[200]]).toEqual([1000, 200, undefined])
    pictures.need(190, 410)
    pictures.need(200, 400)
    await vi.waitFor(() => expect(pictures.images[599]?.id).toBe(600))
    expect(calls.map(([, args]) => (args as { offset: number }).offset)).toEqual([0, 200, 400])
    expect(pictures.images[0]?.id).toBe(1)
  })
})

describe('the studio', () => {
  const picture = (position: number, seed: number): Generation => ({
    id: `${seed}-${position}`, batch: '', position, prompt: '', seed, recipe: {}, modelId: null, width: 1, height: 1,
    url: '', thumbnail: '', source: null, createdAt: '',
  })

  it('draws without and with the adapters from the same seed, and puts them side by side', async () => {
    const { bridge, calls } = fakeBridge({
      'studio.generate': ({ seed, count }: { seed: number; count: number }) => ({
        batch: '', seed, notes: [], generations: Array.from({ length: count }, (_, position) => picture(position, seed)),
      }),
    })
    const studio = new StudioState(bridge)
    Object.assign(studio.settings, { modelId: 'm', count: 2, seedLocked: true, seed: 7 })
    studio.useAdapter('a', 0.5)
    studio.useAdapter('a', 0.8)
    await studio.generate()
    const asked = calls.map(([, args]) => args as { seed: number; adapters: unknown[] })
    expect(asked.map(({ seed, adapters }) => [seed, adapters])).toEqual([[7, []], [7, [{ id: 'a', strength: 0.8 }]]])
    expect(studio.pairs.map(({ position, before, after }) => [position, before?.seed, after?.seed])).toEqual([[0, 7, 7], [1, 7, 7]])
    expect(studio.making).toBeUndefined()
  })

  it('begins no second half once it was told to stop, and keeps what is there', async () => {
    const { bridge, calls } = fakeBridge({
      'studio.generate': async ({ seed }: { seed: number }) => {
        await studio.cancel()
        return { batch: '', seed, notes: [], generations: [picture(0, seed)] }
      },
    })
    const studio: StudioState = new StudioState(bridge)
    studio.settings.modelId = 'm'
    studio.useAdapter('a', 1)
    await studio.generate()
    expect(calls.map(([name]) => name)).toEqual(['studio.generate', 'tasks.cancel'])
    expect(studio.pairs).toHaveLength(1)
  })
})

describe('a look at a template', () => {
  const stage = { name: 'all', span: [1, 0] as [number, number], prompt: '{subject} with {tool}', negative: '', emphasis: 1 }
  const slots = { subject: { description: '' }, tool: { description: '' } }
  const template: Template = { version: 1, name: 'mine', description: '', slots, switch: 'hard', stages: [stage] }
  const entry: TemplateEntry = { key: 'mine', name: 'mine', builtIn: false, template, updatedAt: null }

  it('shows the pictures of its own task in their order, and of the template as it was then', async () => {
    const drawn = Promise.withResolvers<unknown>()
    const { bridge, calls, say } = fakeBridge({ 'templates.preview': () => drawn.promise })
    const preview = new TemplatePreview(bridge)
    Object.assign(preview, { modelId: 'm', prompt: 'a hand', slots: { tool: 'a pen', place: 'of another template' } })
    const ended = preview.look(entry.key, template)
    const { task } = preview
    say('templates.picture', { task, fraction: 0.9, picture: 'first' })
    say('templates.picture', { task: 'another window\'s', fraction: 0.7, picture: 'foreign' })
    say('templates.picture', { task, fraction: 0, picture: 'last' })
    drawn.resolve({ notes: ['It was small.'] })
    await ended
    expect(calls).toEqual([['templates.preview', { template, slots: { tool: 'a pen' }, modelId: 'm', prompt: 'a hand', task }]])
    expect(preview.pictures.map(({ picture }) => picture)).toEqual(['first', 'last'])
    expect([preview.notes, preview.task]).toEqual([['It was small.'], undefined])
    expect([preview.isOf(entry), preview.isOf({ ...entry, key: 'other' })]).toEqual([true, false])
    expect(preview.isOlderThan(template)).toBe(false)
    expect(preview.isOlderThan({ ...template, stages: [{ ...stage, prompt: '{subject}' }] })).toBe(true)
  })
})

describe('messages', () => {
  it('leave by themselves, unless they are errors', () => {
    vi.useFakeTimers()
    const toasts = new ToastState()
    toasts.say('done')
    toasts.complain({ message: 'wrong', nextStep: 'do this' })
    vi.advanceTimersByTime(10_000)
    expect(toasts.toasts.map(({ text }) => text)).toEqual(['wrong'])
    toasts.dismiss(toasts.toasts[0]!.id)
    expect(toasts.toasts).toEqual([])
    vi.useRealTimers()
  })

  it('of something removed offer to put it back', async () => {
    const { bridge, calls } = fakeBridge({})
    const toasts = new ToastState()
    new Bin(bridge, toasts).offerUndo('runs', 'id', 'Hands')
    expect(toasts.toasts[0]).toMatchObject({ text: 'Hands is in the bin.', action: { label: 'Undo' } })
    toasts.toasts[0]?.action?.run()
    await vi.waitFor(() => expect(calls).toEqual([['bin.restore', { area: 'runs', id: 'id' }]]))
  })
})

describe('the connection', () => {
  it('starts the page afresh only when the host is heard again after it was not', () => {
    let returns = 0
    const connection = new ConnectionState(() => returns++)
    connection.set('open')
    connection.set('lost')
    expect([connection.lost, returns]).toEqual([true, 0])
    connection.set('open')
    expect([connection.lost, returns]).toEqual([false, 1])
  })
})
