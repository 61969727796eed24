import { DEVICES, type DeviceRecord } from '../engine/protocol.ts'
import type { LibraryDatabase } from '../store/database.ts'
import { readDevices, replaceDevices } from '../store/devices.ts'
import { chooseDevice, type DeviceChoice } from './choose-device.ts'
import type { Engine } from './engine.ts'

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
  readonly #engine: Engine
  #running: { readonly result: Promise<DeviceOverview>; readonly abort: AbortController } | undefined

  constructor(database: LibraryDatabase, engine: Engine) {
    this.#database = database
    this.#engine = engine
  }

  /** What the last probe found; asks no hardware. */
  list(): DeviceOverview {
    const devices = readDevices(this.#database)
    return { devices, chosen: devices.some(({ available }) => available) ? chooseDevice(devices) : null }
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

  async #probe(signal: AbortSignal, onProgress: (progress: ProbeProgress) => void): Promise<DeviceOverview> {
    let tried = 0
    const onRecord = (): void => onProgress({ tried: ++tried, total: DEVICES.length })
    onProgress({ tried, total: DEVICES.length })
    replaceDevices(this.#database, await this.#engine.probeDevices({ signal, onRecord }))
    return this.list()
  }
}
