import type { Reply } from '../../main/ipc/bridge.ts'
import type { Problem } from './problem.ts'

/** What a question came to: nothing yet, a value, or a problem. Asking again keeps the old value until the new one is there. */
export class Answer<T> {
  readonly #ask: () => Promise<Reply<T>>
  #value = $state.raw<T>()
  #problem = $state.raw<Problem>()
  #asking = $state(false)
  #turn = 0

  constructor(ask: () => Promise<Reply<T>>) {
    this.#ask = ask
  }

  get value(): T | undefined {
    return this.#value
  }

  /** Why the last question was not answered. */
  get problem(): Problem | undefined {
    return this.#problem
  }

  get asking(): boolean {
    return this.#asking
  }

  /** Asks; when asked again meanwhile, only the last answer counts. */
  async load(): Promise<void> {
    const turn = ++this.#turn
    this.#asking = true
    const reply = await this.#ask()
    if (turn !== this.#turn) return
    this.#asking = false
    this.#problem = reply.ok ? undefined : reply.error
    if (reply.ok) this.#value = reply.value
  }

  /** Takes a value that came without asking. */
  set(value: T): void {
    this.#value = value
    this.#problem = undefined
  }
}
