import type { Bridge, Reply } from '../../main/ipc/bridge.ts'
import type { Adapter, CallInput } from '../../main/ipc/contract.ts'
import { Answer } from './answer.svelte.ts'
import type { Problem } from './problem.ts'

/** The adapters of the library. */
export class AdapterState {
  readonly #bridge: Bridge
  readonly #list: Answer<Adapter[]>

  constructor(bridge: Bridge) {
    this.#bridge = bridge
    this.#list = new Answer(() => bridge.call('adapters.list', {}))
    bridge.on('library.changed', ({ area }) => {
      if (area === 'adapters') void this.load()
    })
  }

  /** Youngest first; undefined until they are known. */
  get adapters(): readonly Adapter[] | undefined {
    return this.#list.value
  }

  get problem(): Problem | undefined {
    return this.#list.problem
  }

  find(id: string): Adapter | undefined {
    return this.adapters?.find((adapter) => adapter.id === id)
  }

  load(): Promise<void> {
    return this.#list.load()
  }

  change(change: CallInput<'adapters.change'>): Promise<Reply<Adapter>> {
    return this.#bridge.call('adapters.change', change)
  }

  import(path: string, task: string): Promise<Reply<Adapter>> {
    return this.#bridge.call('adapters.import', { path, task })
  }

  remove(id: string): Promise<Reply<unknown>> {
    return this.#bridge.call('adapters.remove', { id })
  }
}
