import { relative, sep } from 'node:path'
import type { TrainingEvent } from '../../engine/protocol.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { deleteMetricsAfter, writeMetrics, type Metric } from '../../store/metrics.ts'
import { appendRunLog, type RunLogEntry } from '../../store/run-log.ts'
import { writeCheckpointRow, writeRunPictures } from '../../store/run-pictures.ts'
import { updateRun } from '../../store/runs.ts'
import { libraryUrl } from '../library-files.ts'
import type { ServiceBus } from '../service-events.ts'

/** Every commit waits for the disk, so updates are kept for this long and written together. */
const WRITE_EVERY_MS = 1000

/** Writes down what one run tells, and passes it on to the pages. */
export class RunRecorder {
  readonly #database: LibraryDatabase
  readonly #bus: ServiceBus
  readonly #run: string
  readonly #libraryFolder: string
  #unwritten: Metric[] = []
  #timer: NodeJS.Timeout | undefined
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
        deleteMetricsAfter(this.#database, this.#run, event.update)
        return this.log('started', event.update === 0 ? 'The run began.' : `The run goes on from update ${event.update}.`)
      case 'sample':
        return this.#pictures(event.update, event.files)
      case 'checkpoint':
        this.flush()
        return writeCheckpointRow(this.#database, this.#run, { update: event.update, best: event.best, file: this.#inside(event.file) })
      case 'warning':
        return this.log(event.kind, event.message, event.nextStep)
      case 'reward-weight':
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
    appendRunLog(this.#database, this.#run, entry)
    this.#bus.emit('runs.event', { run: this.#run, event: { type: 'log', entry } })
  }

  /** Writes what was kept back. To be called before the run is left. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    writeMetrics(this.#database, this.#run, this.#unwritten)
    this.#unwritten = []
    updateRun(this.#database, this.#run, { update: this.update })
  }

  #progress({ update, reward, gradientNorm, learningRate, seconds, parts, timeLeft }: Extract<TrainingEvent, { type: 'progress' }>): void {
    const point: Metric = { update, ...reward, gradientNorm, learningRate, seconds, parts }
    this.timeLeft = timeLeft
    this.#unwritten.push(point)
    this.#timer ??= setTimeout(() => this.flush(), WRITE_EVERY_MS)
    this.#bus.emit('runs.event', { run: this.#run, event: { type: 'progress', point, timeLeft } })
  }

  #pictures(update: number, files: readonly string[]): void {
    this.flush()
    const pictures = files.map((file, position) => ({ update, position, file: this.#inside(file) }))
    writeRunPictures(this.#database, this.#run, pictures)
    const views = pictures.map(({ file, position }) => ({ update, position, url: libraryUrl(file) }))
    this.#bus.emit('runs.event', { run: this.#run, event: { type: 'sample', update, pictures: views } })
  }

  /** A path of the engine as one inside the library. */
  #inside(file: string): string {
    return relative(this.#libraryFolder, file).split(sep).join('/')
  }
}
