import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import type { TrainingCommand } from '../../engine/protocol.ts'
import { discard } from '../../store/bin.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readMetrics } from '../../store/metrics.ts'
import { readRewardWeights, type RewardWeight } from '../../store/reward-weights.ts'
import { readRunLog, type RunLogEntry } from '../../store/run-log.ts'
import { readCheckpoints, readRunPictures } from '../../store/run-pictures.ts'
import { readRun, readRuns, RecipeJson, updateRun, type StoredRun } from '../../store/runs.ts'
import { libraryUrl } from '../library-files.ts'
import { required } from '../not-found.ts'
import type { ServiceBus } from '../service-events.ts'
import { deviceVitals, type DeviceVitals } from './device-vitals.ts'
import { metricSeries, type MetricSeries } from './metric-series.ts'
import type { RunPictureView } from './run-notice.ts'
import type { RunSupervisor } from './run-supervisor.ts'
import type { RunSummary } from './run-summary.ts'

/** A run with everything a page shows of it. */
export interface RunDetails {
  readonly summary: RunSummary
  /** That gives the same run again: with all that it left open decided, once the run has begun. */
  readonly recipe: RecipeJson
  readonly metrics: MetricSeries
  readonly pictures: RunPictureView[]
  readonly checkpoints: { readonly update: number; readonly best: boolean }[]
  readonly log: RunLogEntry[]
  /** What the parts of the reward count now; none before the run began, or where it has no parts. */
  readonly rewardWeights: RewardWeight[]
}

/** What a person does with runs that there are. */
export class RunService {
  readonly #database: LibraryDatabase
  readonly #supervisor: RunSupervisor
  readonly #bus: ServiceBus
  readonly #libraryFolder: string

  constructor(database: LibraryDatabase, supervisor: RunSupervisor, bus: ServiceBus, libraryFolder: string) {
    this.#database = database
    this.#supervisor = supervisor
    this.#bus = bus
    this.#libraryFolder = libraryFolder
  }

  list(): RunSummary[] {
    return readRuns(this.#database).map(({ id }) => this.#supervisor.summary(id))
  }

  /** @param points of each curve at most */
  get(id: string, points: number): RunDetails {
    const run = this.#run(id)
    return {
      summary: this.#supervisor.summary(id),
      recipe: this.#recipe(run),
      metrics: metricSeries(readMetrics(this.#database, id), points),
      pictures: readRunPictures(this.#database, id).map(({ update, position, file }) => ({ update, position, url: libraryUrl(file) })),
      checkpoints: readCheckpoints(this.#database, id).map(({ update, best }) => ({ update, best })),
      log: readRunLog(this.#database, id),
      rewardWeights: readRewardWeights(this.#database, id),
    }
  }

  rename(id: string, name: string): RunSummary {
    this.#run(id)
    updateRun(this.#database, id, { name })
    this.#supervisor.announce(id)
    this.#changed()
    return this.#supervisor.summary(id)
  }

  /** A run that goes on ends after the update at hand, with a checkpoint; one that waits leaves the queue. */
  pause(id: string): RunSummary {
    const { state } = this.#run(id)
    if (state === 'queued') this.#supervisor.dequeue(id, 'paused')
    else this.#supervisor.tell(id, { type: 'pause' })
    return this.#supervisor.summary(id)
  }

  /** Puts a run that has not finished back into the queue. */
  resume(id: string): RunSummary {
    const { state } = this.#supervisor.summary(id)
    if (state === 'finished') throw new HalfstepError('usage', 'This run has finished.', 'Start its recipe again as a new run.')
    if (state !== 'queued' && state !== 'running') this.#supervisor.enqueue(id)
    return this.#supervisor.summary(id)
  }

  /** Ends a run with the adapter as it is, or as it was when the reward was best. One that never began is called off. */
  stop(id: string, keepBest: boolean): RunSummary {
    const { state, update } = this.#run(id)
    const command: TrainingCommand = { type: keepBest ? 'stop-and-keep-best' : 'stop' }
    if (this.#supervisor.isActive(id)) this.#supervisor.tell(id, command)
    else if (state === 'finished' || state === 'stopped') throw new HalfstepError('usage', 'This run has ended.', '')
    else if (update === 0) this.#supervisor.dequeue(id, 'stopped')
    else this.#supervisor.enqueue(id, [command])
    return this.#supervisor.summary(id)
  }

  /** Has pictures made after the update at hand. Throws `usage` when the run does not go on. */
  sampleNow(id: string): void {
    this.#supervisor.tell(id, { type: 'sample-now' })
  }

  /** Throws `usage` when the run does not go on; a part that does not exist is told of in the run's diary. */
  changeRewardWeight(id: string, reward: string, weight: number): void {
    this.#supervisor.tell(id, { type: 'change-reward-weight', reward, weight })
  }

  /** How the device of a run is doing. */
  vitals(id: string): Promise<DeviceVitals> {
    return deviceVitals(this.#run(id).device)
  }

  /** Puts a run into the bin. Throws `library.in-use` while it goes on. */
  remove(id: string): void {
    const { state, name } = this.#run(id)
    if (state === 'running') throw new HalfstepError('library.in-use', `${name} goes on at the moment.`, 'Stop it first.')
    if (state === 'queued') this.#supervisor.dequeue(id, 'paused')
    discard(this.#database, 'runs', id)
    this.#changed()
  }

  /** As training left it with the run; before that, as it was asked for. */
  #recipe({ folder, recipe }: StoredRun): RecipeJson {
    const file = join(this.#libraryFolder, ...folder.split('/'), 'recipe.json')
    return existsSync(file) ? RecipeJson.parse(JSON.parse(readFileSync(file, 'utf8'))) : recipe
  }

  #run(id: string): StoredRun {
    return required(readRun(this.#database, id), 'run')
  }

  #changed(): void {
    this.#bus.emit('library.changed', { area: 'runs' })
  }
}
