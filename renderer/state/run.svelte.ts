import type { Bridge, Reply } from '../../main/ipc/bridge.ts'
import type { EventPayload, MetricPoint, MetricSeries, RunDetails, RunLogEntry, RunPicture, RunSummary } from '../../main/ipc/contract.ts'
import { withPoint } from './metric-series.ts'
import type { Problem } from './problem.ts'

/** More points than a plot has pixels are asked for again in fewer. */
const MOST_POINTS = 1500
const POINTS = 750

/** One run with everything its page shows, kept up to date while it goes on. Call `leave` when the page closes. */
export class RunState {
  readonly #bridge: Bridge
  readonly #id: string
  #summary = $state.raw<RunSummary>()
  #recipe = $state.raw<RunDetails['recipe']>({})
  #metrics = $state.raw<MetricSeries>()
  #pictures = $state.raw<readonly RunPicture[]>([])
  #checkpoints = $state.raw<RunDetails['checkpoints']>([])
  #log = $state.raw<readonly RunLogEntry[]>([])
  #problem = $state.raw<Problem>()
  readonly leave: () => void

  constructor(bridge: Bridge, id: string) {
    this.#bridge = bridge
    this.#id = id
    this.leave = bridge.on('runs.event', ({ run, event }) => {
      if (run === id) this.#take(event)
    })
  }

  get summary(): RunSummary | undefined {
    return this.#summary
  }

  get recipe(): RunDetails['recipe'] {
    return this.#recipe
  }

  get metrics(): MetricSeries | undefined {
    return this.#metrics
  }

  /** All pictures, in the order of updates. */
  get pictures(): readonly RunPicture[] {
    return this.#pictures
  }

  get checkpoints(): RunDetails['checkpoints'] {
    return this.#checkpoints
  }

  /** Oldest first. */
  get log(): readonly RunLogEntry[] {
    return this.#log
  }

  /** Why it could not be shown, or why the last command was not taken. */
  get problem(): Problem | undefined {
    return this.#problem
  }

  async load(): Promise<void> {
    const reply = await this.#bridge.call('runs.get', { id: this.#id, points: POINTS })
    if (!reply.ok) {
      this.#problem = reply.error
      return
    }
    const { summary, recipe, metrics, pictures, checkpoints, log } = reply.value
    this.#summary = summary
    this.#recipe = recipe
    this.#metrics = metrics
    this.#pictures = pictures
    this.#checkpoints = checkpoints
    this.#log = log
  }

  pause(): Promise<void> {
    return this.#told(this.#bridge.call('runs.pause', { id: this.#id }))
  }

  resume(): Promise<void> {
    return this.#told(this.#bridge.call('runs.resume', { id: this.#id }))
  }

  /** @param keepBest with the adapter as it was when the reward was best */
  stop(keepBest: boolean): Promise<void> {
    return this.#told(this.#bridge.call('runs.stop', { id: this.#id, keepBest }))
  }

  rename(name: string): Promise<void> {
    return this.#told(this.#bridge.call('runs.rename', { id: this.#id, name }))
  }

  async sampleNow(): Promise<void> {
    const reply = await this.#bridge.call('runs.sampleNow', { id: this.#id })
    this.#problem = reply.ok ? undefined : reply.error
  }

  dismissProblem(): void {
    this.#problem = undefined
  }

  async #told(answer: Promise<Reply<RunSummary>>): Promise<void> {
    const reply = await answer
    this.#problem = reply.ok ? undefined : reply.error
    if (reply.ok) this.#summary = reply.value
  }

  #take(event: EventPayload<'runs.event'>['event']): void {
    switch (event.type) {
      case 'state':
        this.#summary = event.summary
        return
      case 'progress':
        this.#addPoint(event.point, event.timeLeft)
        return
      case 'sample':
        this.#pictures = [...this.#pictures.filter(({ update }) => update !== event.update), ...event.pictures]
        return
      case 'log':
        this.#log = [...this.#log, event.entry]
    }
  }

  #addPoint(point: MetricPoint, timeLeft: number | null): void {
    if (this.#summary) this.#summary = { ...this.#summary, update: point.update, timeLeft, latestReward: point.mean }
    if (this.#metrics === undefined) return
    if (this.#metrics.update.length >= MOST_POINTS) return void this.load()
    this.#metrics = withPoint(this.#metrics, point)
  }
}
