import { describe, expect, it } from 'vitest'
import type { Bridge, Reply } from '../../../main/ipc/bridge.ts'
import type { RunDetails, RunHappening, RunSummary } from '../../../main/ipc/contract.ts'
import { RunListState } from '../../../renderer/state/run-list.svelte.ts'
import { RunState } from '../../../renderer/state/run.svelte.ts'

const summary = (change: Partial<RunSummary> = {}): RunSummary => ({
  id: 'a', name: 'Hands', goal: 'fix-hands', state: 'running', device: 'cpu', modelId: null, modelName: null, adapterId: null, update: 3,
  updates: 10, reason: null, wish: null, firstReward: null, latestReward: null, seconds: 0, timeLeft: null, cover: null, createdAt: '',
  startedAt: null, endedAt: null, ...change,
})
const LOG = { at: '2026-01-01T12:00:00.000Z', update: 0, kind: 'started', message: 'The run began.', nextStep: '' }
const PICTURE = { update: 0, position: 0, url: '/library/runs/a/samples/0.png' }
const details = (change: Partial<RunDetails> = {}): RunDetails => ({
  summary: summary(), recipe: {}, pictures: [], checkpoints: [], log: [], rewardWeights: [],
  metrics: { update: [], mean: [], spread: [], min: [], max: [], gradientNorm: [], learningRate: [], seconds: [], parts: {} }, ...change,
})

/** A bridge whose answers come when the test says so, in the order of asking. */
function slowBridge() {
  const asked: { readonly name: string; readonly answer: (value: unknown) => void }[] = []
  const listeners = new Map<string, (payload: unknown) => void>()
  const bridge = {
    call: (name: string) => new Promise<Reply<unknown>>((resolve) => {
      asked.push({ name, answer: (value) => resolve({ ok: true, value }) })
    }),
    on(name: string, listener: (payload: unknown) => void) {
      listeners.set(name, listener)
      return () => listeners.delete(name)
    },
  } as unknown as Bridge
  return { bridge, asked, say: (event: RunHappening) => listeners.get('runs.event')?.({ run: 'a', event }) }
}

async function shown() {
  const { bridge, asked, say } = slowBridge()
  const run = new RunState(bridge, 'a')
  const loaded = run.load()
  asked[0]?.answer(details())
  await loaded
  return { run, asked, say }
}

describe('a run on its page', () => {
  it('is paused when the event says so, though the answer to the wish comes later and is older', async () => {
    const { run, asked, say } = await shown()
    const told = run.pause()
    say({ type: 'state', summary: summary({ wish: 'pause' }) })
    say({ type: 'state', summary: summary({ state: 'paused' }) })
    asked[1]?.answer(summary({ wish: 'pause' }))
    await told
    expect(run.summary).toMatchObject({ state: 'paused', wish: null })
  })

  it('takes the answer to a wish where no event came before it', async () => {
    const { run, asked } = await shown()
    const told = run.pause()
    asked[1]?.answer(summary({ wish: 'pause' }))
    await told
    expect(run.summary?.wish).toBe('pause')
  })

  it('loses nothing that happens while everything is asked for', async () => {
    const { bridge, asked, say } = slowBridge()
    const run = new RunState(bridge, 'a')
    const loaded = run.load()
    say({ type: 'state', summary: summary({ state: 'paused' }) })
    say({ type: 'sample', update: 0, pictures: [PICTURE] })
    say({ type: 'log', entry: LOG })
    asked[0]?.answer(details())
    await loaded
    expect(run.summary?.state).toBe('paused')
    expect(run.pictures).toEqual([PICTURE])
    expect(run.log).toEqual([LOG])
  })

  it('asks again when it begins, since then its recipe is complete', async () => {
    const { run, asked, say } = await shown()
    say({ type: 'log', entry: LOG })
    asked[1]?.answer(details({ recipe: { seed: 1, threads: 2 } }))
    await expect.poll(() => run.recipe).toEqual({ seed: 1, threads: 2 })
    expect(asked).toHaveLength(2)
  })

  it('shows once what is both in the answer and in an event', async () => {
    const { bridge, asked, say } = slowBridge()
    const run = new RunState(bridge, 'a')
    const loaded = run.load()
    say({ type: 'sample', update: 0, pictures: [PICTURE] })
    say({ type: 'log', entry: LOG })
    asked[0]?.answer(details({ pictures: [PICTURE], log: [LOG] }))
    await loaded
    expect([run.pictures, run.log]).toEqual([[PICTURE], [LOG]])
  })

  it('tells what the parts of its reward count, as it was and when it is changed', async () => {
    const { bridge, asked, say } = slowBridge()
    const run = new RunState(bridge, 'a')
    const loaded = run.load()
    asked[0]?.answer(details({ rewardWeights: [{ reward: 'hands', weight: 1 }] }))
    await loaded
    expect(run.rewardWeights).toEqual([{ reward: 'hands', weight: 1 }])
    say({ type: 'weights', weights: [{ reward: 'hands', weight: 2 }] })
    expect(run.rewardWeights).toEqual([{ reward: 'hands', weight: 2 }])
  })

  it('is what was asked for last, when asked for twice', async () => {
    const { bridge, asked } = slowBridge()
    const run = new RunState(bridge, 'a')
    const both = [run.load(), run.load()]
    asked[1]?.answer(details({ summary: summary({ update: 5 }) }))
    asked[0]?.answer(details({ summary: summary({ update: 4 }) }))
    await Promise.all(both)
    expect(run.summary?.update).toBe(5)
  })
})

describe('the list of runs', () => {
  it('asks again when a run changes while it is asked for', async () => {
    const { bridge, asked, say } = slowBridge()
    const runs = new RunListState(bridge)
    const first = runs.load()
    asked[0]?.answer([summary()])
    await first
    const second = runs.load()
    say({ type: 'state', summary: summary({ state: 'paused' }) })
    asked[1]?.answer([summary()])
    await second
    expect(runs.runs?.[0]?.state).toBe('paused')
    asked[2]?.answer([summary({ state: 'finished' })])
    await expect.poll(() => runs.runs?.[0]?.state).toBe('finished')
  })
})
