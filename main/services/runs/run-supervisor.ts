/** Trains one run after another in an engine of its own, and brings each back when the engine falls over. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HalfstepError, toErrorValue } from '../../engine/errors.ts'
import type { TrainingCommand, TrainingEvent } from '../../engine/protocol.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import {
  dequeueRun, enqueueRun, readQueue, readRun, readRuns, updateRun, type RunChange, type RunReason, type StoredRun,
} from '../../store/runs.ts'
import type { Engine } from '../engine.ts'
import { required } from '../not-found.ts'
import type { ServiceBus } from '../service-events.ts'
import { asStoreFault } from '../store-faults.ts'
import { RunRecorder } from './run-recorder.ts'
import { summaryOf, type RunOutlook, type RunSummary, type RunWish } from './run-summary.ts'

/** The engine may stop so often without making an update in between before the run is given up. */
const MOST_STOPS = 3

export interface SupervisorParts {
  readonly database: LibraryDatabase
  readonly engine: Engine
  readonly bus: ServiceBus
  readonly libraryFolder: string
  /** Takes in the adapter of a run that has finished. @param file absolute */
  readonly onFinished: (run: StoredRun, file: string) => Promise<void>
}

/** The run that goes on. */
interface Active {
  readonly id: string
  readonly recorder: RunRecorder
  readonly abort: AbortController
  send: ((command: TrainingCommand) => void) | undefined
  /** What it was told before the engine began with it. */
  readonly unsent: TrainingCommand[]
  wish: RunWish | null
  /** Why the engine paused it. */
  pause: RunReason | null
}

/** Why a run is interrupted. */
const CLOSED: RunReason = {
  message: 'Halfstep was closed while the run went on.',
  nextStep: 'Resume it: it goes on from its latest checkpoint.',
}

/** Why a run does not go on that the library still takes for running. */
const UNRECORDED: RunReason = {
  message: 'The run ended, and the library could not take down how.',
  nextStep: 'See that its disk has room and can be written to, then resume the run: it goes on from its latest checkpoint.',
}

const NO_OUTLOOK: RunOutlook = { wish: null, timeLeft: null }

/** One run at a time; the others wait in the library's queue, which outlives the program. */
export class RunSupervisor {
  readonly #parts: SupervisorParts
  #active: Active | undefined
  #closed = true

  constructor(parts: SupervisorParts) {
    this.#parts = parts
  }

  /** Marks what an earlier program left behind as interrupted, and begins with the queue. Only for the holder of the library's lock. */
  start(): void {
    const { database } = this.#parts
    this.#closed = false
    for (const run of readRuns(database)) {
      if (run.state !== 'running') continue
      updateRun(database, run.id, { state: 'interrupted', reason: CLOSED })
      this.#recorder(run).log('interrupted', CLOSED.message, CLOSED.nextStep)
    }
    this.#next()
  }

  /** Ends the engine's work; the run that goes on can be resumed from its latest checkpoint. */
  close(): void {
    if (this.#active !== undefined) {
      this.#active.recorder.log('interrupted', CLOSED.message, CLOSED.nextStep)
      this.#change(this.#active.id, { state: 'interrupted', reason: CLOSED })
      this.#active.abort.abort()
    }
    this.#closed = true
  }

  /** What a run that goes on is up to; for others there is nothing to tell. */
  outlook(id: string): RunOutlook {
    const active = this.#active?.id === id ? this.#active : undefined
    return active === undefined ? NO_OUTLOOK : { wish: active.wish, timeLeft: active.recorder.timeLeft }
  }

  /** Puts a run into the queue, to be told the commands when its turn comes. */
  enqueue(id: string, commands: readonly TrainingCommand[] = []): void {
    enqueueRun(this.#parts.database, id, commands, new Date().toISOString())
    this.#change(id, { state: 'queued', reason: null })
    this.#next()
  }

  /** Takes a run that waits out of the queue. */
  dequeue(id: string, state: 'paused' | 'stopped'): void {
    dequeueRun(this.#parts.database, id)
    this.#change(id, state === 'stopped' ? { state, endedAt: new Date().toISOString() } : { state })
  }

  /** Tells the run that goes on something, which takes effect after the update at hand. */
  tell(id: string, command: TrainingCommand): void {
    const active = this.#active
    if (active?.id !== id) throw notGoingOn()
    if (command.type === 'pause' || command.type === 'stop' || command.type === 'stop-and-keep-best') active.wish = command.type
    if (active.send === undefined) active.unsent.push(command)
    else active.send(command)
    this.announce(id)
  }

  /** Whether commands can be sent to it now. */
  isActive(id: string): boolean {
    return this.#active?.id === id
  }

  #next(): void {
    const [job] = readQueue(this.#parts.database)
    if (this.#closed || this.#active !== undefined || job === undefined) return
    const { database } = this.#parts
    const run = required(readRun(database, job.runId), 'run')
    const abort = new AbortController()
    const active: Active = {
      id: run.id, recorder: this.#recorder(run), abort, send: undefined, unsent: [], wish: wishOf(job.commands), pause: null,
    }
    this.#active = active
    try {
      this.#change(run.id, { state: 'running', reason: null, startedAt: run.startedAt ?? new Date().toISOString(), endedAt: null })
      dequeueRun(database, run.id)
    } catch (thrown) {
      // It keeps its place in the queue.
      this.#active = undefined
      throw thrown
    }
    void this.#train(active, run, job.commands)
      .catch((thrown: unknown) => this.#unrecorded(active, thrown))
      .then(() => {
        this.#active = undefined
        if (this.#closed) return
        this.announce(run.id)
        this.#next()
      })
      // The library refuses even to be read: what waits stays in the queue until it is asked for again.
      .catch((thrown: unknown) => this.#unrecorded(active, thrown))
  }

  async #train(active: Active, run: StoredRun, commands: readonly TrainingCommand[]): Promise<void> {
    const { recorder, abort } = active
    let stops = 0
    for (;;) {
      const before = recorder.update
      try {
        const outcome = await this.#runOnce(active, run, stops === 0 ? commands : wishAgain(active))
        recorder.flush()
        if (outcome.adapter === null) return this.#change(run.id, { state: 'paused', reason: active.pause })
        await this.#parts.onFinished(run, outcome.adapter)
        return this.#change(run.id, { state: 'finished', reason: null, endedAt: new Date().toISOString() })
      } catch (thrown) {
        if (this.#closed || abort.signal.aborted) return
        stops = recorder.update > before ? 1 : stops + 1
        const error = toErrorValue(asStoreFault(thrown))
        if (error.code !== 'engine.stopped' || stops >= MOST_STOPS) return this.#fail(active, error)
        recorder.log('restarted', `${error.message} It was started again, and the run goes on from its latest checkpoint.`)
      }
    }
  }

  #runOnce(active: Active, run: StoredRun, commands: readonly TrainingCommand[]) {
    const { engine, libraryFolder } = this.#parts
    const folder = join(libraryFolder, ...run.folder.split('/'))
    const begun = existsSync(join(folder, 'recipe.json'))
    const beginning = begun ? {} : { recipe: run.recipe, recipeFolder: libraryFolder }
    const request = { folder, device: run.device, whenPaused: 'end' as const, ...beginning }
    active.send = undefined
    return engine.run('training', 'train.run', request, {
      signal: active.abort.signal,
      onProgress: (event) => this.#heard(active, event),
      onStart: (send) => {
        active.send = send
        // Pictures of the beginning are what all later ones are compared with.
        if (active.recorder.update === 0 && showsPictures(run)) send({ type: 'sample-now' })
        for (const command of [...commands, ...active.unsent.splice(0)]) send(command)
      },
    })
  }

  #heard(active: Active, event: TrainingEvent): void {
    if (this.#closed || this.#active !== active) return
    if (event.type === 'paused') active.pause = { message: event.message, nextStep: event.nextStep }
    active.recorder.record(event)
    if (event.type !== 'progress') this.announce(active.id)
  }

  #fail({ id, recorder }: Active, { message, nextStep }: RunReason): void {
    recorder.log('failed', message, nextStep)
    this.#change(id, { state: 'failed', reason: { message, nextStep }, endedAt: new Date().toISOString() })
  }

  /** What is left to do when not even the end of a run can be written down: say so. `summary` tells the truth about its state. */
  #unrecorded({ recorder }: Active, thrown: unknown): void {
    if (this.#closed) return
    recorder.log('storage', `${UNRECORDED.message} ${toErrorValue(asStoreFault(thrown)).message}`, UNRECORDED.nextStep)
  }

  #recorder(run: StoredRun): RunRecorder {
    const { database, bus, libraryFolder } = this.#parts
    return new RunRecorder(database, bus, run, libraryFolder)
  }

  #change(id: string, change: RunChange): void {
    updateRun(this.#parts.database, id, change)
    this.announce(id)
    this.#parts.bus.emit('library.changed', { area: 'runs' })
  }

  /** Tells where a run stands. */
  announce(id: string): void {
    const summary = this.summary(id)
    this.#parts.bus.emit('runs.event', { run: id, event: { type: 'state', summary } })
  }

  /** Throws `library.missing`. */
  summary(id: string): RunSummary {
    const { database } = this.#parts
    const run = required(readRun(database, id), 'run')
    const lost = run.state === 'running' && !this.#closed && this.#active?.id !== id
    return summaryOf(database, lost ? { ...run, state: 'interrupted', reason: UNRECORDED } : run, this.outlook(id))
  }
}

function showsPictures({ recipe }: StoredRun): boolean {
  const { samples } = recipe
  return typeof samples === 'object' && samples !== null && !Array.isArray(samples) && typeof samples.every === 'number'
}

/** What a run that only goes on to be ended is up to. */
function wishOf(commands: readonly TrainingCommand[]): RunWish | null {
  const last = commands.findLast(({ type }) => type === 'stop' || type === 'stop-and-keep-best')
  return last?.type === 'stop' || last?.type === 'stop-and-keep-best' ? last.type : null
}

/** What an engine that starts again must be told a second time. */
function wishAgain({ wish }: Active): TrainingCommand[] {
  return wish === null ? [] : [{ type: wish }]
}

function notGoingOn(): HalfstepError {
  return new HalfstepError('usage', 'This run does not go on at the moment.', 'Resume it first.')
}
