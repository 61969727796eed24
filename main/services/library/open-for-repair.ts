import { existsSync, renameSync } from 'node:fs'
import { HalfstepError } from '../../engine/errors.ts'
import type { Engine } from '../engine.ts'
import { databasePath, ensureLibraryFolder } from '../library-folder.ts'
import { openServices, type Services } from '../services.ts'

/** The library, and where its database was put aside when it could not be trusted. */
export interface OpenedForRepair {
  readonly services: Services
  readonly putAside: string | null
}

/**
 * Opens a library even when its database cannot be read or is damaged: that is put aside, never deleted, and a new one takes its
 * place, to be filled from the files. Throws `store.locked` and `store.newer`.
 */
export function openForRepair(engine: Engine, libraryFolder?: string): OpenedForRepair {
  const folder = ensureLibraryFolder(libraryFolder)
  const sound = openSound(engine, folder)
  if (sound !== undefined) return { services: sound, putAside: null }
  const aside = `${databasePath(folder)}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  for (const ending of ['', '-wal', '-shm']) {
    if (existsSync(databasePath(folder) + ending)) renameSync(databasePath(folder) + ending, aside + ending)
  }
  const services = openServices(engine, folder)
  services.lock()
  return { services, putAside: aside }
}

/** The services, when the database is in order. */
function openSound(engine: Engine, folder: string): Services | undefined {
  let services: Services | undefined
  try {
    services = openServices(engine, folder)
    services.lock()
    if (services.library.isDatabaseSound()) return services
    services.close()
  } catch (error) {
    services?.close()
    if (!(error instanceof HalfstepError && error.code === 'store.unreadable')) throw error
  }
  return undefined
}
