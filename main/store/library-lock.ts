import Database from 'better-sqlite3'
import { HalfstepError } from '../engine/errors.ts'

/** Held by the one program that may change a library. */
export interface LibraryLock {
  release(): void
}

/**
 * What this process holds. better-sqlite3 closes a database that nothing refers to any more, which would free the library silently
 * once garbage is collected, where a caller did not keep its lock.
 */
const held = new Set<Database.Database>()

/**
 * Takes the library for this process, until `release`. The lock is the operating system's, on a database of its own beside the
 * library, so that it ends with the process however that ends, and readers of the library never wait for it.
 * Throws `store.locked` while another process holds it, and `store.unreadable` when the file cannot be made.
 */
export function lockLibrary(path: string): LibraryLock {
  let database: Database.Database | undefined
  try {
    database = new Database(path, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
    return kept(database)
  } catch (thrown) {
    database?.close()
    if (!(thrown instanceof Database.SqliteError)) throw thrown
    if (thrown.code.startsWith('SQLITE_BUSY')) {
      const nextStep = 'Go to the Halfstep that is open already, or close it and try again.'
      throw new HalfstepError('store.locked', 'This library is open in another Halfstep.', nextStep, { path })
    }
    const nextStep = 'Check that you may write to the library folder, or choose another one.'
    throw new HalfstepError('store.unreadable', `${path} cannot be opened: ${thrown.message}.`, nextStep, { path })
  }
}

function kept(database: Database.Database): LibraryLock {
  held.add(database)
  return {
    release() {
      held.delete(database)
      database.close()
    },
  }
}
