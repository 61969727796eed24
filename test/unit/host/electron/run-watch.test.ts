import { beforeEach, describe, expect, it } from 'vitest'
import { RunWatch } from '../../../../main/host/electron/run-watch.ts'
import type { RunSummary } from '../../../../main/ipc/contract.ts'

let done: unknown[]
let watch: RunWatch

beforeEach(() => {
  done = []
  watch = new RunWatch({
    keepAwake: (awake) => done.push(awake ? 'awake' : 'may sleep'),
    showProgress: (share) => done.push(share),
    tell: ({ title, body }) => done.push(`${title}: ${body}`),
  })
})

const summary = (change: Partial<RunSummary>): RunSummary => ({
  id: 'a', name: 'Hands', goal: 'fix-hands', state: 'running', device: 'cpu', modelId: null, modelName: null, adapterId: null, update: 0,
  updates: 10, reason: null, wish: null, firstReward: null, latestReward: null, seconds: 0, timeLeft: null, cover: null, createdAt: '',
  startedAt: null, endedAt: null, ...change,
})
const state = (change: Partial<RunSummary>): void => {
  const told = summary(change)
  watch.hear({ run: told.id, event: { type: 'state', summary: told } })
}
const progress = (update: number): void => watch.hear({
  run: 'a',
  event: {
    type: 'progress', timeLeft: null,
    point: { update, mean: 0, spread: 0, min: 0, max: 0, gradientNorm: 0, learningRate: 0, seconds: 1, parts: {} },
  },
})

describe('while a run goes on', () => {
  it('the computer stays awake and the taskbar shows how far it has come, until it ends, which is told', () => {
    state({ state: 'queued' })
    expect(done).toEqual([])
    state({})
    state({ update: 1 })
    progress(5)
    state({ state: 'finished', update: 10 })
    expect(done).toEqual(['awake', 0, 0.5, 'may sleep', null, 'Hands has finished: 10 updates. Its adapter is in your library.'])
  })

  it('the next one takes over', () => {
    state({})
    state({ state: 'finished' })
    done.length = 0
    state({ id: 'b', update: 2 })
    expect(done).toEqual(['awake', 0.2])
  })
})

describe('someone who looks elsewhere', () => {
  const reason = { message: 'The disk is full.', nextStep: 'Make room.' }

  it('is told of trouble', () => {
    state({})
    state({ state: 'failed', reason })
    expect(done.at(-1)).toBe('Hands has stopped: The disk is full.')
    state({})
    state({ state: 'paused', reason })
    expect(done.at(-1)).toBe('Hands waits for you: The disk is full.')
  })

  it('is not told of what they asked for, nor of runs that did not go on', () => {
    state({})
    state({ wish: 'pause' })
    state({ state: 'paused', wish: 'pause', reason: { message: 'The run was paused.', nextStep: '' } })
    state({ state: 'paused', reason: { message: 'The run was paused.', nextStep: '' } })
    state({ id: 'b', state: 'finished' })
    expect(done).toEqual(['awake', 0, 'may sleep', null])
  })
})
