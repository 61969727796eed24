import { existsSync } from 'node:fs'
import type { ProcessLauncher } from '../engine/process/launcher.ts'
import type { DeviceOverview } from '../services/devices.ts'
import { engineIn } from '../services/engine.ts'
import { databasePath, libraryFolder } from '../services/library-folder.ts'
import { openServices } from '../services/services.ts'

/** What the last probe found; nothing where there is no library, which looking does not create. Throws `store.*`. */
export function rememberedDevices(launch: ProcessLauncher): DeviceOverview {
  if (!existsSync(databasePath(libraryFolder()))) return { devices: [], chosen: null }
  const services = openServices(engineIn(launch))
  try {
    return services.devices.list()
  } finally {
    services.close()
  }
}
