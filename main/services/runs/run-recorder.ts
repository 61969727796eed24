import { relative, sep } from 'node:path'
import { toErrorValue } from '../../engine/errors.ts'
import type { TrainingEvent } from '../../engine/protocol.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { deleteMetricsAfter, writeMetrics, type Metric } from '../../store/metrics.ts'
import { appendRunLog, type RunLogEntry } from '../../store/run-log.ts'
import { writeCheckpointRow, writeRunPictures } from '../../store/run-pictures.ts'
import { readRewardWeights, writeRewardWeights, type RewardWeight } from '../../store/reward-weights.ts'
import { updateRun } from '../../store/runs.ts'
import { libraryUrl } from '../library-files.ts'
import type { ServiceBus } from '../service-events.ts'
import { asStoreFault } from '../store-faults.ts'

/** Every commit waits for the disk, so updates are kept for this long and written together. */
const WRITE_EVERY_MS = 1000

/**
 * Writes down what one run tells, and passes it on to the pages. It never throws: a library that cannot be written to must not end
 * the training. Updates that could not be written are kept for the next time, and the pages are told.
 */
export class RunRecorder {
  readonly #database: LibraryDatabase
  readonly #bus: ServiceBus
  readonly #run: string
  readonly #libraryFolder: string
  #unwritten: Metric[] = []
  #timer: NodeJS.Timeout | undefined
  /** Whether the library took what was written last. */
  #writable = true
  /** Updates made, as last heard. */
  update: number
  timeLeft: number | null = null

  constructor(database: LibraryDatabase, bus: ServiceBus, run: { readonly id: string; readonly update: number }, libraryFolder: string) {
    this.#database = database
    this.#bus = bus
    this.#run = run.id
    this.#libraryFolder = libraryFolder
    this.update = run.update
  }

  /** Takes down an event of the engine. */
  record(event: TrainingEvent): void {
    this.update = event.update
    switch (event.type) {
      case 'progress':
        return this.#progress(event)
      case 'started':
        // What came after the checkpoint that the run goes on from is made again.
        this.flush()
        this.#write(() => deleteMetricsAfter(this.#database, this.#run, event.update))
        if (event.rewardWeights !== undefined) this.#weigh(listed(event.rewardWeights))
        return this.log('started', event.update === 0 ? 'The run began.' : `The run goes on from update ${event.update}.`)
      case 'sample':
        return this.#pictures(event.update, event.files)
      case 'checkpoint':
        return this.#checkpoint(event)
      case 'warning':
        return this.log(event.kind, event.message, event.nextStep)
      case 'reward-weight':
        this.#weigh([{ reward: event.reward, weight: event.weight }])
        return this.log('reward-weight', `The weight of ${event.reward} is ${event.weight} from now on.`)
      case 'paused':
        return this.log('paused', event.message, event.nextStep)
      case 'resumed':
        return this.log('resumed', 'The run goes on.')
      case 'finished':
        return this.log('finished', `The run ended after ${event.update} updates; its adapter is that of update ${event.adapterUpdate}.`)
      case 'failed':
        return this.log('failed', event.error.message, event.error.nextStep)
    }
  }

  /** Adds an entry to the run's diary. */
  log(kind: string, message: string, nextStep = ''): void {
    this.flush()
    const entry: RunLogEntry = { at: new Date().toISOString(), update: this.update, kind, message, nextStep }
    this.#write(() => appendRunLog(this.#database, this.#run, entry))
    this.#say(entry)
  }

  #say(entry: RunLogEntry): void {
    this.#bus.emit('runs.event', { run: this.#run, event: { type: 'log', entry } })
  }

  /** Writes what was kept back. To be called before the run is left. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#write(() => {
      writeMetrics(this.#database, this.#run, this.#unwritten)
      this.#unwritten = []
      updateRun(this.#database, this.#run, { update: this.update })
    })
  }

  #progress({ update, reward, gradientNorm, learningRate, seconds, parts, timeLeft }: Extract<TrainingEvent, { type: 'progress' }>): void {
    const point = finitePoint({ update, ...reward, gradientNorm, learningRate, seconds, parts })
    this.timeLeft = timeLeft
    if (point === undefined) {
      return this.log('not-finite', `Update ${update} came to something that is no number; its curves leave it out.`, LESS_BOLD)
    }
    this.#unwritten.push(point)
    this.#timer ??= setTimeout(() => this.flush(), WRITE_EVERY_MS)
    this.#bus.emit('runs.event', { run: this.#run, event: { type: 'progress', point, timeLeft } })
  }

  #weigh(changed: readonly RewardWeight[]): void {
    this.#write(() => {
      writeRewardWeights(this.#database, this.#run, changed)
      const weights = readRewardWeights(this.#database, this.#run)
      this.#bus.emit('runs.event', { run: this.#run, event: { type: 'weights', weights } })
    })
  }

  #checkpoint({ update, best, file }: Extract<TrainingEvent, { type: 'checkpoint' }>): void {
    this.flush()
    this.#write(() => writeCheckpointRow(this.#database, this.#run, { update, best, file: this.#inside(file) }))
  }

  #pictures(update: number, files: readonly string[]): void {
    this.flush()
    const pictures = files.map((file, position) => ({ update, position, file: this.#inside(file) }))
    this.#write(() => writeRunPictures(this.#database, this.#run, pictures))
    const views = pictures.map(({ file, position }) => ({ update, position, url: libraryUrl(file) }))
    this.#bus.emit('runs.event', { run: this.#run, event: { type: 'sample', update, pictures: views } })
  }

  /** Writes to the library; the first time it refuses, the pages are told why. */
  #write(change: () => void): void {
    try {
      change()
      this.#writable = true
    } catch (thrown) {
      if (this.#writable) this.#say(this.#refusal(thrown))
      this.#writable = false
    }
  }

  #refusal(thrown: unknown): RunLogEntry {
    const { message, nextStep } = toErrorValue(asStoreFault(thrown))
    const told = `What the run tells cannot be written down: ${message} It goes on.`
    return { at: new Date().toISOString(), update: this.update, kind: 'storage', message: told, nextStep }
  }

  /** A path of the engine as one inside the library. */
  #inside(file: string): string {
    return relative(this.#libraryFolder, file).split(sep).join('/')
  }
}

/** Weights by the names of their parts, as the library lists them. */
function listed(weights: Readonly<Record<string, number>>): RewardWeight[] {
  return Object.entries(weights).map(([reward, weight]) => ({ reward, weight }))
}

const LESS_BOLD = 'If this comes often, lower the learning rate, or compute in float32.'

/** The figures of an update that are numbers; undefined when those that every update has are not. */
function finitePoint({ parts, ...figures }: Metric): Metric | undefined {
  if (!Object.values(figures).every(Number.isFinite)) return undefined
  return { ...figures, parts: Object.fromEntries(Object.entries(parts).filter(([, value]) => Number.isFinite(value))) }
}
