import type { Connection } from '../bridge/local-bridge.ts'

/** Whether this page still hears from Halfstep. */
export class ConnectionState {
  #connection = $state<Connection>('open')
  readonly #onReturn: () => void

  /** @param onReturn called when the host is heard again: what happened meanwhile is not known here */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn
  }

  get lost(): boolean {
    return this.#connection === 'lost'
  }

  set(connection: Connection): void {
    const returned = this.lost && connection === 'open'
    this.#connection = connection
    if (returned) this.#onReturn()
  }
}
