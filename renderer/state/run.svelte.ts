import type { Bridge, Reply } from '../../main/ipc/bridge.ts'
import type {
  MetricPoint, MetricSeries, RewardWeight, RunDetails, RunHappening, RunLogEntry, RunPicture, RunSummary,
} from '../../main/ipc/contract.ts'
import { withPoint } from './metric-series.ts'
import type { Problem } from './problem.ts'

/** More points than a plot has pixels are asked for again in fewer. */
const MOST_POINTS = 1500
const POINTS = 750

/**
 * One run with everything its page shows, kept up to date while it goes on. Call `leave` when the page closes.
 *
 * Answers and events come by different ways, so an answer may arrive after events that tell of later things. Every change is told
 * by an event, which makes the events the truth: those that came while an answer was under way are not undone by it.
 */
export class RunState {
  readonly #bridge: Bridge
  readonly #id: string
  #summary = $state.raw<RunSummary>()
  #recipe = $state.raw<RunDetails['recipe']>({})
  #metrics = $state.raw<MetricSeries>()
  #pictures = $state.raw<readonly RunPicture[]>([])
  #checkpoints = $state.raw<RunDetails['checkpoints']>([])
  #log = $state.raw<readonly RunLogEntry[]>([])
  #rewardWeights = $state.raw<readonly RewardWeight[]>([])
  #problem = $state.raw<Problem>()
  /** What happened while everything was asked for; undefined when it is not. */
  #meanwhile: RunHappening[] | undefined
  /** Changes of state that were heard of. */
  #changes = 0
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

  /** What the parts of its reward count now. */
  get rewardWeights(): readonly RewardWeight[] {
    return this.#rewardWeights
  }

  /** Why it could not be shown, or why the last command was not taken. */
  get problem(): Problem | undefined {
    return this.#problem
  }

  async load(): Promise<void> {
    const meanwhile: RunHappening[] = []
    this.#meanwhile = meanwhile
    const reply = await this.#bridge.call('runs.get', { id: this.#id, points: POINTS })
    // Asked again since.
    if (this.#meanwhile !== meanwhile) return
    this.#meanwhile = undefined
    if (!reply.ok) {
      this.#problem = reply.error
      return
    }
    const { summary, recipe, metrics, pictures, checkpoints, log, rewardWeights } = reply.value
    this.#summary = summary
    this.#recipe = recipe
    this.#metrics = metrics
    this.#pictures = pictures
    this.#checkpoints = checkpoints
    this.#log = log
    this.#rewardWeights = rewardWeights
    for (const event of meanwhile) this.#take(event)
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

  /** What a part of the reward counts from the next update on; an event tells when it does. */
  async changeRewardWeight(reward: string, weight: number): Promise<void> {
    const reply = await this.#bridge.call('runs.changeRewardWeight', { id: this.#id, reward, weight })
    this.#problem = reply.ok ? undefined : reply.error
  }

  dismissProblem(): void {
    this.#problem = undefined
  }

  async #told(answer: Promise<Reply<RunSummary>>): Promise<void> {
    const before = this.#changes
    const reply = await answer
    this.#problem = reply.ok ? undefined : reply.error
    if (reply.ok && this.#changes === before) this.#summary = reply.value
  }

  #take(event: RunHappening): void {
    this.#meanwhile?.push(event)
    switch (event.type) {
      case 'state':
        this.#changes++
        this.#summary = event.summary
        return
      case 'progress':
        this.#addPoint(event.point, event.timeLeft)
        return
      case 'sample':
        this.#pictures = [...this.#pictures.filter(({ update }) => update !== event.update), ...event.pictures]
        return
      case 'weights':
        this.#rewardWeights = event.weights
        return
      case 'log':
        if (!this.#log.some((entry) => isSame(entry, event.entry))) this.#log = [...this.#log, event.entry]
        // What the recipe had left open is decided when the run begins.
        if (event.entry.kind === 'started' && this.#meanwhile === undefined) void this.load()
    }
  }

  #addPoint(point: MetricPoint, timeLeft: number | null): void {
    if (this.#summary) this.#summary = { ...this.#summary, update: point.update, timeLeft, latestReward: point.mean }
    if (this.#metrics === undefined) return
    if (this.#metrics.update.length >= MOST_POINTS) {
      if (this.#meanwhile === undefined) void this.load()
      return
    }
    this.#metrics = withPoint(this.#metrics, point)
  }
}

function isSame(a: RunLogEntry, b: RunLogEntry): boolean {
  return a.at === b.at && a.update === b.update && a.kind === b.kind && a.message === b.message
}
