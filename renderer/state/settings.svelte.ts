import type { Bridge } from '../../main/ipc/bridge.ts'
import type { Settings } from '../../main/ipc/contract.ts'
import type { Problem } from './problem.ts'

/** What the person chose. The theme shows on the page's root, where the tokens read it. */
export class SettingsState {
  readonly #bridge: Bridge
  readonly #root: HTMLElement
  #settings = $state.raw<Settings>()

  constructor(bridge: Bridge, root: HTMLElement) {
    this.#bridge = bridge
    this.#root = root
    bridge.on('settings.changed', (settings) => this.#take(settings))
  }

  get value(): Settings | undefined {
    return this.#settings
  }

  async load(): Promise<void> {
    const reply = await this.#bridge.call('settings.get', {})
    if (reply.ok) this.#take(reply.value)
  }

  /** Changes what is given. @returns why that failed */
  async change(change: Partial<Settings>): Promise<Problem | undefined> {
    const reply = await this.#bridge.call('settings.set', change)
    if (!reply.ok) return reply.error
    this.#take(reply.value)
    return undefined
  }

  #take(settings: Settings): void {
    this.#settings = settings
    if (settings.theme === 'system') delete this.#root.dataset.theme
    else this.#root.dataset.theme = settings.theme
  }
}
