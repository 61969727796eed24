import type { Bridge } from '../../main/ipc/bridge.ts'
import type { AppInfo } from '../../main/ipc/contract.ts'

/** What the app says about itself. */
export class AppState {
  readonly #bridge: Bridge
  #info = $state.raw<AppInfo>()

  constructor(bridge: Bridge) {
    this.#bridge = bridge
  }

  get info(): AppInfo | undefined {
    return this.#info
  }

  async load(): Promise<void> {
    const reply = await this.#bridge.call('app.info', {})
    if (reply.ok) this.#info = reply.value
  }
}
