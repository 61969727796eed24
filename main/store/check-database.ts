import Database from 'better-sqlite3'
import type { LibraryDatabase } from './database.ts'

/** What SQLite finds wrong with the database, one sentence each; none in a sound one. */
export function checkDatabase(database: LibraryDatabase): string[] {
  const damage = findDamage(database)
  if (damage.length > 0) return damage.map((finding) => `The database is damaged: ${finding}.`)
  const broken = database.pragma('foreign_key_check') as { readonly table: string; readonly parent: string }[]
  return broken.map(({ table, parent }) => `A row of ${table} names a row of ${parent} that is not there.`)
}

/** In SQLite's words. */
function findDamage(database: LibraryDatabase): string[] {
  try {
    const rows = database.pragma('integrity_check') as { readonly integrity_check: string }[]
    return rows.map(({ integrity_check: finding }) => finding).filter((finding) => finding !== 'ok')
  } catch (error) {
    // It can be too damaged to be checked.
    if (error instanceof Database.SqliteError) return [error.message]
    throw error
  }
}

/** Writes a compact copy of the database to a file that must not be there yet, while it stays in use. */
export function copyDatabase(database: LibraryDatabase, path: string): void {
  database.prepare('VACUUM INTO ?').run(path)
}
