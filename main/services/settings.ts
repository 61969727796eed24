import { z } from 'zod'
import { Device } from '../engine/protocol.ts'
import type { LibraryDatabase } from '../store/database.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import type { ServiceBus } from './service-events.ts'

const Theme = z.enum(['system', 'light', 'dark'])
const DeviceWish = z.union([z.literal('auto'), Device])

/** What the person chose. */
export interface Settings {
  readonly theme: z.infer<typeof Theme>
  /** The device to work on; `auto` leaves it to Halfstep. */
  readonly device: z.infer<typeof DeviceWish>
}

/** The person's choices, each with what holds before anything was chosen. */
export class SettingsService {
  readonly #database: LibraryDatabase
  readonly #bus: ServiceBus

  constructor(database: LibraryDatabase, bus: ServiceBus) {
    this.#database = database
    this.#bus = bus
  }

  get(): Settings {
    return {
      theme: readSetting(this.#database, 'theme', Theme) ?? 'system',
      device: readSetting(this.#database, 'device', DeviceWish) ?? 'auto',
    }
  }

  /** Changes what is given, leaves the rest, and tells everyone. */
  set(change: { readonly [K in keyof Settings]?: Settings[K] | undefined }): Settings {
    for (const [key, value] of Object.entries(change)) if (value !== undefined) writeSetting(this.#database, key, value)
    const settings = this.get()
    this.#bus.emit('settings.changed', settings)
    return settings
  }
}
