import { randomUUID } from 'node:crypto'
import { HalfstepError } from '../engine/errors.ts'
import type { ServiceBus } from './service-events.ts'

/** How far something that takes longer than a moment has come. */
export interface TaskProgress {
  /** Its name, chosen by whoever asked for it. */
  readonly task: string
  /** What is being done, in a few words. */
  readonly label: string
  readonly done: number
  /** Null while it is not known how much there is. */
  readonly total: number | null
  /** Null before it can be told. */
  readonly secondsLeft: number | null
  /** What is being worked on just now; null when there is nothing to name. */
  readonly note: string | null
}

/** What a piece of long work is given: the way to say how far it is, and to hear that it is no longer wanted. */
export interface Task {
  readonly signal: AbortSignal
  progress(done: number, total: number | null, note?: string): void
  /** Throws `cancelled` when the person has had enough. */
  check(): void
}

interface Running {
  readonly abort: AbortController
  latest: TaskProgress
}

/** Pages are told this often at most. */
const INTERVAL_MS = 100
/** What was done in less tells too little about what is left. */
const SECONDS_BEFORE_GUESS = 2

/** Everything long that goes on: shown with its progress, and cancelled by name. */
export class Tasks {
  readonly #bus: ServiceBus
  readonly #running = new Map<string, Running>()

  constructor(bus: ServiceBus) {
    this.#bus = bus
  }

  /**
   * Does long work under a name. Throws `call.invalid` when other work of that name goes on, and what the work throws.
   * @param name a random one unless given
   */
  async run<T>(name: string | undefined, label: string, work: (task: Task) => Promise<T>): Promise<T> {
    const task = name ?? randomUUID()
    if (this.#running.has(task)) throw new HalfstepError('call.invalid', `The task ${task} goes on already.`, 'Wait until it has ended.')
    const running: Running = { abort: new AbortController(), latest: { task, label, done: 0, total: null, secondsLeft: null, note: null } }
    this.#running.set(task, running)
    this.#bus.emit('tasks.progress', running.latest)
    try {
      return await work(this.#handle(running))
    } finally {
      this.#running.delete(task)
      this.#bus.emit('tasks.ended', { task })
    }
  }

  /** What goes on now. */
  list(): TaskProgress[] {
    return [...this.#running.values()].map(({ latest }) => latest)
  }

  /** Ends what goes on under this name; whether there was anything. */
  cancel(task: string): boolean {
    const running = this.#running.get(task)
    running?.abort.abort()
    return running !== undefined
  }

  cancelAll(): void {
    for (const { abort } of this.#running.values()) abort.abort()
  }

  #handle(running: Running): Task {
    const { signal } = running.abort
    const { label } = running.latest
    const began = performance.now()
    let told = -Infinity
    return {
      signal,
      progress: (done, total, note) => {
        const now = performance.now()
        running.latest = { ...running.latest, done, total, secondsLeft: secondsLeft(done, total, (now - began) / 1000), note: note ?? null }
        if (now - told < INTERVAL_MS && done !== total) return
        told = now
        this.#bus.emit('tasks.progress', running.latest)
      },
      check: () => {
        if (signal.aborted) throw new HalfstepError('cancelled', `${label} was cancelled.`)
      },
    }
  }
}

/** As much time per piece as until now. */
function secondsLeft(done: number, total: number | null, seconds: number): number | null {
  if (total === null || done === 0 || seconds < SECONDS_BEFORE_GUESS) return null
  return ((total - done) * seconds) / done
}
