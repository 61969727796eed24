import type { Reply } from '../../main/ipc/bridge.ts'
import { Answer } from './answer.svelte.ts'
import type { Problem } from './problem.ts'

/** Things that a person keeps in a list and edits one at a time: prompt sets, templates, rewards. */
export class ShelfState<T> {
  readonly #list: Answer<T[]>
  readonly #keyOf: (item: T) => string

  constructor(ask: () => Promise<Reply<T[]>>, keyOf: (item: T) => string) {
    this.#list = new Answer(ask)
    this.#keyOf = keyOf
  }

  /** Undefined until they are known. */
  get items(): readonly T[] | undefined {
    return this.#list.value
  }

  get problem(): Problem | undefined {
    return this.#list.problem
  }

  load(): Promise<void> {
    return this.#list.load()
  }

  find(key: string | null | undefined): T | undefined {
    return this.items?.find((item) => this.#keyOf(item) === key)
  }
}
