import Database from 'better-sqlite3'
import { existsSync } from 'node:fs'
import { HalfstepError } from '../engine/errors.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS, type Migration } from './migrations/index.ts'

/** An open library database. Everything the app remembers goes through one connection of one process. */
export type LibraryDatabase = Database.Database

/** How long a statement waits for another process's lock before it fails, in milliseconds. */
const BUSY_TIMEOUT = 5_000

/** SQLite's number for `synchronous = FULL`: every commit reaches the disk before it returns. */
const FULL = 2

/**
 * Opens the database at `path`, creates it when it does not exist, and brings it to the newest schema.
 * Throws `store.newer` (the file untouched) when a newer Halfstep wrote it, `store.unreadable` when it is no database
 * or cannot be opened, `store.locked` when another process holds it.
 */
export function openDatabase(path: string, migrations: readonly Migration[] = MIGRATIONS): LibraryDatabase {
  const database = connect(path, newestId(migrations))
  try {
    makeDurable(database, path)
    migrate(database, migrations)
    return database
  } catch (thrown) {
    database.close()
    throw asStoreError(thrown, path)
  }
}

function newestId(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.id ?? 0
}

/** A connection to a database that this program understands, or a refusal before anything is written. */
function connect(path: string, newestVersion: number): LibraryDatabase {
  try {
    if (existsSync(path)) refuseNewer(path, newestVersion)
    return new Database(path, { timeout: BUSY_TIMEOUT })
  } catch (thrown) {
    throw asStoreError(thrown, path)
  }
}

/** Reads the version through a read-only connection, because even switching to WAL would rewrite a newer program's file. */
function refuseNewer(path: string, newestVersion: number): void {
  const reader = new Database(path, { readonly: true, timeout: BUSY_TIMEOUT })
  try {
    const version = Number(reader.pragma('user_version', { simple: true }))
    if (version <= newestVersion) return
    throw new HalfstepError(
      'store.newer',
      `${path} was written by a newer Halfstep (schema ${version}, this one knows up to ${newestVersion}).`,
      'Update Halfstep, or choose another library folder; the file was not touched.',
      { path, version, newestVersion },
    )
  } finally {
    reader.close()
  }
}

/** WAL with full synchronisation: a commit that returned survives a power cut. better-sqlite3's own WAL default is NORMAL. */
function makeDurable(database: LibraryDatabase, path: string): void {
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  const synchronous = database.pragma('synchronous', { simple: true })
  if (synchronous !== FULL) throw new Error(`${path}: synchronous reads back ${String(synchronous)} instead of ${FULL}`)
}

function asStoreError(thrown: unknown, path: string): unknown {
  if (!(thrown instanceof Database.SqliteError)) return thrown
  if (thrown.code.startsWith('SQLITE_BUSY')) {
    return new HalfstepError('store.locked', `${path} is in use by another program.`, 'Close the other Halfstep and try again.', { path })
  }
  return new HalfstepError(
    'store.unreadable',
    `${path} cannot be opened as Halfstep's library: ${thrown.message}.`,
    'Restore the file from a backup, or move it away to start with an empty library.',
    { path, sqlite: thrown.code },
  )
}
