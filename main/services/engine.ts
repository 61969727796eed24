import { probeDevices, type ProbeOptions } from '../engine/process/probe-devices.ts'
import type { ProcessLauncher } from '../engine/process/launcher.ts'
import type { DeviceRecord } from '../engine/protocol.ts'

/** What the services ask of the engine, which works in processes of its own. */
export interface Engine {
  /** Tries devices one after another; a driver that crashes takes nothing else with it. Fails with `cancelled` only. */
  probeDevices(options: ProbeOptions): Promise<DeviceRecord[]>
}

/** The engine in processes that `launch` starts. */
export function engineIn(launch: ProcessLauncher): Engine {
  return { probeDevices: (options) => probeDevices(launch, options) }
}
