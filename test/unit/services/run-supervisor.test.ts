import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import type { TrainingCommand, TrainingEvent, TrainingOutcome } from '../../../main/engine/protocol.ts'
import type { EngineRunOptions } from '../../../main/services/engine.ts'
import { RunSupervisor } from '../../../main/services/runs/run-supervisor.ts'
import { type RunHappening } from '../../../main/services/runs/run-notice.ts'
import { RunService } from '../../../main/services/runs/runs.ts'
import { ServiceBus } from '../../../main/services/service-events.ts'
import { type LibraryDatabase, openDatabase } from '../../../main/store/database.ts'
import { readMetrics } from '../../../main/store/metrics.ts'
import { readRunLog } from '../../../main/store/run-log.ts'
import { enqueueRun, insertRun, readQueue, readRun, updateRun } from '../../../main/store/runs.ts'
import { idOf, RUN } from '../store/example-rows.ts'
import { fakeEngine } from './fake-engine.ts'

const FOLDER = '/library'
const SECOND = { ...RUN, id: idOf(11), folder: `runs/${idOf(11)}` }
const STOPPED = new HalfstepError('engine.stopped', 'The engine stopped while working on train.run: signal SIGKILL.', 'Run it again.')

/** One start of the engine's job, under the test's control. */
interface Start {
  readonly tell: (event: TrainingEvent) => void
  readonly commands: TrainingCommand[]
  readonly end: (outcome: TrainingOutcome) => void
  readonly fail: (error: Error) => void
}

let database: LibraryDatabase
let starts: Start[]
let heard: RunHappening[]
let finished: string[]
let supervisor: RunSupervisor
let runs: RunService

beforeEach(() => {
  database = openDatabase(':memory:')
  insertRun(database, RUN)
  insertRun(database, SECOND)
  starts = []
  heard = []
  finished = []
  const bus = new ServiceBus()
  bus.listen((name, payload) => {
    if (name === 'runs.event' && 'event' in payload) heard.push(payload.event)
  })
  const engine = fakeEngine({
    'train.run': (_request, { onProgress, onStart }: EngineRunOptions<'train.run'>) => new Promise((end, fail) => {
      const commands: TrainingCommand[] = []
      starts.push({ commands, end, fail, tell: (event) => onProgress?.(event) })
      onStart?.((command) => commands.push(command))
    }),
  })
  const onFinished = async (run: { readonly id: string }): Promise<void> => void finished.push(run.id)
  supervisor = new RunSupervisor({ database, engine, bus, libraryFolder: FOLDER, onFinished })
  runs = new RunService(database, supervisor, bus, FOLDER)
  supervisor.start()
})

afterEach(() => {
  supervisor.close()
  database.close()
})

const started = (update: number): TrainingEvent => ({
  type: 'started', folder: FOLDER, update, updates: 4, parameters: 8, deviceBytes: null,
  estimate: { memoryBytes: null, secondsPerUpdate: null },
})
const progress = (update: number): TrainingEvent => ({
  type: 'progress', update, updates: 4, reward: { mean: update, spread: 0, min: update, max: update }, parts: {}, gradientNorm: 1,
  learningRate: 1e-3, steps: [], seconds: 1, timeLeft: 4 - update,
})
const PAUSED: TrainingEvent = { type: 'paused', update: 2, reason: 'asked', message: 'The run was paused.', nextStep: 'Continue it.' }

/** The n-th start of the job, once it has come. */
const start = (n: number): Promise<Start> => vi.waitFor(() => {
  expect(starts.length).toBeGreaterThan(n)
  return starts[n]!
})
const inState = (id: string, state: string): Promise<void> => vi.waitFor(() => expect(readRun(database, id)?.state).toBe(state))

describe('the supervisor of runs', () => {
  it('trains a run to its end, with pictures of the beginning, and takes in the adapter', async () => {
    supervisor.enqueue(RUN.id)
    const { tell, end, commands } = await start(0)
    expect(supervisor.summary(RUN.id).state).toBe('running')
    expect(commands).toEqual([{ type: 'sample-now' }])
    tell(started(0))
    tell({ type: 'sample', update: 0, files: [`${FOLDER}/runs/${RUN.id}/samples/000000-0.png`] })
    for (const update of [1, 2, 3, 4]) tell(progress(update))
    expect(supervisor.summary(RUN.id)).toMatchObject({ timeLeft: 0, cover: `/library/runs/${RUN.id}/samples/000000-0.png` })
    end({ outcome: 'finished', update: 4, adapter: `${FOLDER}/runs/${RUN.id}/adapter.safetensors` })
    await inState(RUN.id, 'finished')
    expect(finished).toEqual([RUN.id])
    expect(readMetrics(database, RUN.id).map(({ mean }) => mean)).toEqual([1, 2, 3, 4])
    expect(readRun(database, RUN.id)).toMatchObject({ update: 4, reason: null })
    expect(heard.filter(({ type }) => type === 'progress')).toHaveLength(4)
  })

  it('keeps what it is told before the engine begins, and says it then', async () => {
    let begin: ((send: (command: TrainingCommand) => void) => void) | undefined
    const told: TrainingCommand[] = []
    const engine = fakeEngine({
      'train.run': (_request, { onStart }: EngineRunOptions<'train.run'>) => new Promise(() => {
        begin = onStart
      }),
    })
    const late = new RunSupervisor({ database, engine, bus: new ServiceBus(), libraryFolder: FOLDER, onFinished: async () => undefined })
    late.start()
    late.enqueue(RUN.id)
    late.tell(RUN.id, { type: 'pause' })
    await vi.waitFor(() => expect(begin).toBeDefined())
    begin?.((command) => told.push(command))
    expect(told.at(-1)).toEqual({ type: 'pause' })
    late.close()
  })

  it('trains one run at a time, in the order of asking', async () => {
    supervisor.enqueue(RUN.id)
    supervisor.enqueue(SECOND.id)
    await start(0)
    expect(readRun(database, SECOND.id)?.state).toBe('queued')
    starts[0]?.end({ outcome: 'finished', update: 4, adapter: 'a' })
    await start(1)
    expect([readRun(database, RUN.id)?.state, readRun(database, SECOND.id)?.state]).toEqual(['finished', 'running'])
    expect(readQueue(database)).toEqual([])
  })

  it('starts the engine again when it falls over, says so, and forgets what is made again', async () => {
    supervisor.enqueue(RUN.id)
    const first = await start(0)
    first.tell(started(0))
    for (const update of [1, 2, 3]) first.tell(progress(update))
    first.fail(STOPPED)
    const second = await start(1)
    expect(readRunLog(database, RUN.id).map(({ kind }) => kind)).toEqual(['started', 'restarted'])
    second.tell(started(2))
    expect(readMetrics(database, RUN.id).map(({ update }) => update)).toEqual([1, 2])
    expect(supervisor.summary(RUN.id).state).toBe('running')
    second.end({ outcome: 'finished', update: 4, adapter: 'a' })
    await inState(RUN.id, 'finished')
  })

  it('gives up when the engine falls over three times without an update in between', async () => {
    supervisor.enqueue(RUN.id)
    for (const n of [0, 1, 2]) (await start(n)).fail(STOPPED)
    await inState(RUN.id, 'failed')
    expect(starts).toHaveLength(3)
    expect(readRun(database, RUN.id)?.reason).toEqual({ message: STOPPED.message, nextStep: STOPPED.nextStep })
  })

  it('counts anew after every update that was made', async () => {
    supervisor.enqueue(RUN.id)
    for (const n of [0, 1, 2, 3]) {
      const { tell, fail } = await start(n)
      tell(progress(n + 1))
      fail(STOPPED)
    }
    await start(4)
    expect(readRun(database, RUN.id)?.state).toBe('running')
  })

  it('does not try again what fails for a reason, and goes on with the queue', async () => {
    supervisor.enqueue(RUN.id)
    supervisor.enqueue(SECOND.id)
    ;(await start(0)).fail(new HalfstepError('file.missing', 'There is no model.', 'Look for it.'))
    await start(1)
    expect(readRun(database, RUN.id)).toMatchObject({ state: 'failed', reason: { message: 'There is no model.' } })
    expect(starts).toHaveLength(2)
  })

  it('pauses after the update at hand, and goes on when resumed', async () => {
    supervisor.enqueue(RUN.id)
    const { commands, tell, end } = await start(0)
    expect(runs.pause(RUN.id).wish).toBe('pause')
    expect(commands).toContainEqual({ type: 'pause' })
    tell(PAUSED)
    end({ outcome: 'paused', update: 2, adapter: null })
    await inState(RUN.id, 'paused')
    expect(supervisor.summary(RUN.id)).toMatchObject({ wish: null, update: 2, reason: { message: 'The run was paused.' } })
    runs.resume(RUN.id)
    await start(1)
    expect(readRun(database, RUN.id)).toMatchObject({ state: 'running', reason: null })
  })

  it('takes a waiting run out of the queue when it is paused or called off', async () => {
    supervisor.enqueue(RUN.id)
    supervisor.enqueue(SECOND.id)
    await start(0)
    expect(runs.pause(SECOND.id).state).toBe('paused')
    runs.resume(SECOND.id)
    expect(runs.stop(SECOND.id, false).state).toBe('stopped')
    expect(readQueue(database)).toEqual([])
  })

  it('ends a paused run by starting it only to be told so', async () => {
    updateRun(database, RUN.id, { state: 'paused', update: 2 })
    runs.stop(RUN.id, true)
    const { commands } = await start(0)
    expect(commands).toEqual([{ type: 'stop-and-keep-best' }])
    expect(supervisor.summary(RUN.id).wish).toBe('stop-and-keep-best')
  })

  it('tells an engine that was started again to stop when that was wanted', async () => {
    supervisor.enqueue(RUN.id)
    const first = await start(0)
    runs.stop(RUN.id, false)
    first.fail(STOPPED)
    expect((await start(1)).commands).toContainEqual({ type: 'stop' })
  })

  it('leaves a run as interrupted when Halfstep is closed, and hears nothing of it any more', async () => {
    supervisor.enqueue(RUN.id)
    const { tell } = await start(0)
    tell(progress(1))
    supervisor.close()
    expect(readRun(database, RUN.id)).toMatchObject({ state: 'interrupted', update: 1 })
    tell(progress(2))
    expect(readMetrics(database, RUN.id)).toHaveLength(1)
  })

  it('refuses commands to a run that does not go on', () => {
    expect(() => runs.sampleNow(RUN.id)).toThrow(expect.objectContaining({ code: 'usage' }))
    expect(() => runs.changeRewardWeight(RUN.id, 'critic', 1)).toThrow(expect.objectContaining({ code: 'usage' }))
    expect(() => runs.pause(idOf(99))).toThrow(expect.objectContaining({ code: 'library.missing' }))
  })

  it('keeps a run that goes on out of the bin', async () => {
    supervisor.enqueue(RUN.id)
    await start(0)
    expect(() => runs.remove(RUN.id)).toThrow(expect.objectContaining({ code: 'library.in-use' }))
    runs.remove(SECOND.id)
    expect(runs.list().map(({ id }) => id)).toEqual([RUN.id])
  })
})

describe('what cannot be written down', () => {
  const notFinite = (update: number): TrainingEvent => ({
    type: 'progress', update, updates: 4, reward: { mean: NaN, spread: 0, min: NaN, max: NaN }, parts: {}, gradientNorm: 1,
    learningRate: 1e-3, steps: [], seconds: 1, timeLeft: 4 - update,
  })
  /** As a full disk does: reading goes on. */
  const fillDisk = (): void => void database.pragma('query_only = true')
  const makeRoom = (): void => void database.pragma('query_only = false')

  it('leaves an update out of the curves whose reward is no number, and says so', async () => {
    supervisor.enqueue(RUN.id)
    const { tell, end } = await start(0)
    tell(progress(1))
    tell(notFinite(2))
    tell({ ...progress(3), parts: { critic: NaN, drift: 0.5 } } as TrainingEvent)
    end({ outcome: 'finished', update: 4, adapter: 'a' })
    await inState(RUN.id, 'finished')
    expect(readMetrics(database, RUN.id).map(({ update, parts }) => [update, parts])).toEqual([[1, {}], [3, { drift: 0.5 }]])
    expect(readRunLog(database, RUN.id).map(({ kind, message }) => [kind, message])).toEqual([
      ['not-finite', 'Update 2 came to something that is no number; its curves leave it out.'],
    ])
    expect(heard.filter(({ type }) => type === 'progress')).toHaveLength(2)
  })

  it('goes on with a run while the library takes nothing, tells the pages once, and writes what it kept when it can', async () => {
    supervisor.enqueue(RUN.id)
    const { tell, end } = await start(0)
    fillDisk()
    for (const update of [1, 2]) {
      tell(progress(update))
      tell({ type: 'checkpoint', update, file: `${FOLDER}/c.safetensors`, best: true })
    }
    expect(heard.flatMap((event) => (event.type === 'log' ? [event.entry.kind] : []))).toEqual(['storage'])
    makeRoom()
    tell(progress(3))
    end({ outcome: 'finished', update: 3, adapter: 'a' })
    await inState(RUN.id, 'finished')
    expect(readMetrics(database, RUN.id).map(({ update }) => update)).toEqual([1, 2, 3])
  })

  it('tells that a run ended whose end cannot be written down, rejects nothing, and lets it be resumed', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    supervisor.enqueue(RUN.id)
    const { fail } = await start(0)
    fillDisk()
    fail(new HalfstepError('file.missing', 'There is no model.', 'Look for it.'))
    const interrupted = { state: 'interrupted', reason: { nextStep: expect.stringContaining('disk') } }
    await vi.waitFor(() => expect(supervisor.summary(RUN.id)).toMatchObject(interrupted))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
    expect(heard.some((event) => event.type === 'log' && event.entry.message.includes('could not take down how'))).toBe(true)
    makeRoom()
    runs.resume(RUN.id)
    await start(1)
    expect(supervisor.summary(RUN.id).state).toBe('running')
  })
})

describe('the start of the supervisor', () => {
  it('shows what an earlier program left running as interrupted, and begins with what waits', async () => {
    supervisor.close()
    updateRun(database, RUN.id, { state: 'running' })
    updateRun(database, SECOND.id, { state: 'queued' })
    enqueueRun(database, SECOND.id, [], '2026')
    supervisor.start()
    await start(0)
    expect(readRun(database, RUN.id)).toMatchObject({ state: 'interrupted' })
    expect(readRunLog(database, RUN.id).map(({ kind }) => kind)).toEqual(['interrupted'])
    expect(readRun(database, SECOND.id)?.state).toBe('running')
  })
})
