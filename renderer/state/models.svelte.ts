import type { Bridge, Reply } from '../../main/ipc/bridge.ts'
import type { Model } from '../../main/ipc/contract.ts'
import { Answer } from './answer.svelte.ts'
import type { Problem } from './problem.ts'
import { newTaskName } from './tasks.svelte.ts'

/** A checkpoint on its way into the library, or refused. */
export interface IncomingModel {
  readonly path: string
  /** Of the reading, for its progress. */
  readonly task: string
  readonly problem: Problem | undefined
}

/** The models of the library, and those being added. */
export class ModelState {
  readonly #bridge: Bridge
  readonly #list: Answer<Model[]>
  #incoming = $state.raw<readonly IncomingModel[]>([])

  constructor(bridge: Bridge) {
    this.#bridge = bridge
    this.#list = new Answer(() => bridge.call('models.list', {}))
    bridge.on('library.changed', ({ area }) => {
      if (area === 'models') void this.load()
    })
  }

  /** Undefined until they are known. */
  get models(): readonly Model[] | undefined {
    return this.#list.value
  }

  get problem(): Problem | undefined {
    return this.#list.problem
  }

  get incoming(): readonly IncomingModel[] {
    return this.#incoming
  }

  load(): Promise<void> {
    return this.#list.load()
  }

  find(id: string | null | undefined): Model | undefined {
    return this.models?.find((model) => model.id === id)
  }

  /** Reads a checkpoint and adds it. One that is refused stays in `incoming` with the reason until it is dismissed. */
  async add(path: string): Promise<Model | undefined> {
    const task = newTaskName()
    this.#incoming = [...this.#incoming.filter((other) => other.path !== path), { path, task, problem: undefined }]
    const reply = await this.#bridge.call('models.add', { path, task })
    if (reply.ok || reply.error.code === 'cancelled') this.dismiss(task)
    else this.#incoming = this.#incoming.map((one) => (one.task === task ? { ...one, problem: reply.error } : one))
    return reply.ok ? reply.value : undefined
  }

  dismiss(task: string): void {
    this.#incoming = this.#incoming.filter((one) => one.task !== task)
  }

  rename(id: string, name: string): Promise<Reply<Model>> {
    return this.#bridge.call('models.rename', { id, name })
  }

  /** Reads a model at another place and takes that for its own from now on. */
  relocate(id: string, path: string, task: string): Promise<Reply<Model>> {
    return this.#bridge.call('models.relocate', { id, path, task })
  }

  remove(id: string): Promise<Reply<unknown>> {
    return this.#bridge.call('models.remove', { id })
  }
}
