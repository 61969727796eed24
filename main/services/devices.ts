import { DEVICES, type DeviceRecord } from '../engine/protocol.ts'
import type { LibraryDatabase } from '../store/database.ts'
import { readDevices, replaceDevices } from '../store/devices.ts'
import { chooseDevice, type DeviceChoice } from './choose-device.ts'
import { HalfstepError } from '../engine/errors.ts'
import type { Engine } from './engine.ts'
import type { Settings } from './settings.ts'

/** The devices as remembered, and the one that models run on. */
export interface DeviceOverview {
  /** In order of preference; empty before the first probe. */
  readonly devices: DeviceRecord[]
  readonly chosen: DeviceChoice | null
}

/** How far a probe has come. */
export interface ProbeProgress {
  readonly tried: number
  readonly total: number
}

/** The machine's devices: probed by the engine, remembered in the library, one of them chosen. */
export class DeviceService {
  readonly #database: LibraryDatabase
  readonly #engine: Pick<Engine, 'probeDevices'>
  readonly #wish: () => Settings['device']
  #running: { readonly result: Promise<DeviceOverview>; readonly abort: AbortController } | undefined

  /** @param wish the device that the person wants */
  constructor(database: LibraryDatabase, engine: Pick<Engine, 'probeDevices'>, wish: () => Settings['device'] = () => 'auto') {
    this.#database = database
    this.#engine = engine
    this.#wish = wish
  }

  /** What the last probe found; asks no hardware. */
  list(): DeviceOverview {
    const devices = readDevices(this.#database)
    return { devices, chosen: devices.some(({ available }) => available) ? this.#choose(devices) : null }
  }

  /** The device to work on, looked for first where none has been. Throws `device.unavailable` when there is none. */
  async ready(): Promise<DeviceRecord> {
    const { devices } = this.list().devices.length > 0 ? this.list() : await this.probe()
    const { device } = this.#choose(devices)
    return devices.find((record) => record.device === device)!
  }

  /** Tries every device and remembers what was found. A request during a probe joins it. Fails with `cancelled` after `stop`. */
  probe(onProgress: (progress: ProbeProgress) => void = () => undefined): Promise<DeviceOverview> {
    if (this.#running) return this.#running.result
    const abort = new AbortController()
    const result = this.#probe(abort.signal, onProgress).finally(() => (this.#running = undefined))
    this.#running = { result, abort }
    return result
  }

  /** Ends a probe that is under way; what was remembered before it stays. */
  stop(): void {
    this.#running?.abort.abort()
  }

  /** The device that is wanted; another one, and why, where that one cannot be used. */
  #choose(devices: readonly DeviceRecord[]): DeviceChoice {
    try {
      return chooseDevice(devices, this.#wish())
    } catch (thrown) {
      if (!(thrown instanceof HalfstepError) || this.#wish() === 'auto') throw thrown
      const { device, reason } = chooseDevice(devices)
      return { device, reason: `${thrown.message} ${reason}` }
    }
  }

  async #probe(signal: AbortSignal, onProgress: (progress: ProbeProgress) => void): Promise<DeviceOverview> {
    let tried = 0
    const onRecord = (): void => onProgress({ tried: ++tried, total: DEVICES.length })
    onProgress({ tried, total: DEVICES.length })
    replaceDevices(this.#database, await this.#engine.probeDevices({ signal, onRecord }))
    return this.list()
  }
}
