/** What the desktop shows of training: that the computer must stay awake, how far a run has come, and that one has ended. */
import type { EventPayload, RunSummary } from '../../ipc/contract.ts'

/** A line from the system, outside the window. */
export interface RunNews {
  readonly run: string
  readonly title: string
  readonly body: string
}

/** The desktop, as far as training concerns it. */
export interface Desktop {
  /** Keeps the computer from falling asleep, or no longer. Called on changes only. */
  readonly keepAwake: (awake: boolean) => void
  /** 0 to 1, or null when nothing is under way. */
  readonly showProgress: (done: number | null) => void
  readonly tell: (news: RunNews) => void
}

/** Follows the runs by the events that pages hear as well. */
export class RunWatch {
  readonly #desktop: Desktop
  /** The runs that go on, as last heard. */
  readonly #running = new Map<string, RunSummary>()

  constructor(desktop: Desktop) {
    this.#desktop = desktop
  }

  hear({ run, event }: EventPayload<'runs.event'>): void {
    if (event.type === 'state') this.#state(event.summary)
    const going = this.#running.get(run)
    if (event.type === 'progress' && going !== undefined) this.#desktop.showProgress(event.point.update / going.updates)
  }

  #state(summary: RunSummary): void {
    const before = this.#running.get(summary.id)
    const wasTraining = this.#running.size > 0
    if (summary.state === 'running') this.#running.set(summary.id, summary)
    else this.#running.delete(summary.id)
    const training = this.#running.size > 0
    if (training !== wasTraining) this.#desktop.keepAwake(training)
    if (training !== wasTraining) this.#desktop.showProgress(training ? summary.update / summary.updates : null)
    const news = before === undefined ? undefined : newsOf(summary, before)
    if (news !== undefined) this.#desktop.tell(news)
  }
}

/** What is worth telling someone who looks elsewhere: an end, and trouble; not what they asked for themselves. */
function newsOf({ id, name, state, update, reason }: RunSummary, before: RunSummary): RunNews | undefined {
  if (state === 'finished') return { run: id, title: `${name} has finished`, body: `${update} updates. Its adapter is in your library.` }
  if (state === 'failed') return { run: id, title: `${name} has stopped`, body: reason?.message ?? '' }
  if (state === 'paused' && before.wish !== 'pause') return { run: id, title: `${name} waits for you`, body: reason?.message ?? '' }
  return undefined
}
