import packageJson from '../../package.json' with { type: 'json' }
import { openDatabase } from '../store/database.ts'
import { DeviceService } from './devices.ts'
import type { Engine } from './engine.ts'
import { databasePath, ensureLibraryFolder } from './library-folder.ts'

/** What Halfstep says about itself. */
export interface AppFacts {
  readonly name: string
  readonly version: string
  readonly libraryFolder: string
}

/** Everything a person can do with Halfstep, ready to be asked by a window, a browser or the command line. */
export interface Services {
  readonly app: AppFacts
  readonly devices: DeviceService
  /** Ends what runs and the services' hold on the library. */
  close(): void
}

/**
 * Opens the library (created where it does not exist) and puts the services over it and the engine.
 * Throws what opening a library throws: `file.unwritable`, `store.newer`, `store.unreadable`, `store.locked`.
 */
export function openServices(engine: Engine, libraryFolder?: string): Services {
  const folder = ensureLibraryFolder(libraryFolder)
  const database = openDatabase(databasePath(folder))
  const devices = new DeviceService(database, engine)
  return {
    app: { name: 'Halfstep', version: packageJson.version, libraryFolder: folder },
    devices,
    close() {
      devices.stop()
      database.close()
    },
  }
}
