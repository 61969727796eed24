import type { Bridge, Reply } from '../../main/ipc/bridge.ts'
import type { DeviceRecord, Devices, EventPayload } from '../../main/ipc/contract.ts'
import type { Problem } from './problem.ts'

/** The devices of this machine as Halfstep remembers them, and the probe that renews them. */
export class DeviceState {
  readonly #bridge: Bridge
  #found = $state.raw<Devices>({ devices: [], chosen: null })
  #probing = $state(false)
  #progress = $state.raw<EventPayload<'devices.probing'>>()
  #problem = $state.raw<Problem>()

  constructor(bridge: Bridge) {
    this.#bridge = bridge
    bridge.on('devices.changed', (found) => (this.#found = found))
    bridge.on('devices.probing', (progress) => (this.#progress = progress))
  }

  get devices(): readonly DeviceRecord[] {
    return this.#found.devices
  }

  get chosen(): Devices['chosen'] {
    return this.#found.chosen
  }

  /** Whether this page waits for a probe. */
  get probing(): boolean {
    return this.#probing
  }

  /** How far the probe has come; undefined before its first sign. */
  get progress(): EventPayload<'devices.probing'> | undefined {
    return this.#progress
  }

  /** Why the last request failed; undefined when it did not, or was stopped on purpose. */
  get problem(): Problem | undefined {
    return this.#problem
  }

  /** Shows what is remembered, and looks for devices at once where nothing is. */
  async load(): Promise<void> {
    this.#take(await this.#bridge.call('devices.list', {}))
    if (this.#problem === undefined && this.devices.length === 0) await this.probe()
  }

  /** Tries every device. A second request while one runs changes nothing. */
  async probe(): Promise<void> {
    if (this.#probing) return
    this.#probing = true
    this.#progress = undefined
    this.#problem = undefined
    this.#take(await this.#bridge.call('devices.probe', {}))
    this.#probing = false
  }

  /** Ends the probe; the devices known before stay. */
  async stop(): Promise<void> {
    await this.#bridge.call('devices.stopProbe', {})
  }

  #take(reply: Reply<Devices>): void {
    if (reply.ok) this.#found = reply.value
    else if (reply.error.code !== 'cancelled') this.#problem = reply.error
  }
}
