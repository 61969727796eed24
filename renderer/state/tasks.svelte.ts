import type { Bridge } from '../../main/ipc/bridge.ts'
import type { TaskProgress } from '../../main/ipc/contract.ts'

/** Everything long that goes on, by its name. */
export class TaskState {
  readonly #bridge: Bridge
  #tasks = $state.raw<ReadonlyMap<string, TaskProgress>>(new Map())

  constructor(bridge: Bridge) {
    this.#bridge = bridge
    bridge.on('tasks.progress', (progress) => (this.#tasks = new Map(this.#tasks).set(progress.task, progress)))
    bridge.on('tasks.ended', ({ task }) => (this.#tasks = new Map([...this.#tasks].filter(([name]) => name !== task))))
  }

  get(task: string): TaskProgress | undefined {
    return this.#tasks.get(task)
  }

  async load(): Promise<void> {
    const reply = await this.#bridge.call('tasks.list', {})
    if (reply.ok) this.#tasks = new Map(reply.value.map((progress) => [progress.task, progress]))
  }

  async cancel(task: string): Promise<void> {
    await this.#bridge.call('tasks.cancel', { task })
  }
}

/** A name for a task that nobody else has. */
export function newTaskName(): string {
  return crypto.randomUUID()
}
