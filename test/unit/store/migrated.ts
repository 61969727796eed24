import Database from 'better-sqlite3'
import { MIGRATIONS } from '../../../main/store/migrations/index.ts'

/** A database in memory after the first `count` migrations, with foreign keys on. */
export function migrated(count: number): Database.Database {
  const database = new Database(':memory:')
  database.pragma('foreign_keys = ON')
  for (const { up } of MIGRATIONS.slice(0, count)) up(database)
  return database
}

export const SHA = 'a'.repeat(64)
export const OTHER_SHA = 'b'.repeat(64)

/** A row of the table of pictures. */
export const picture = (sha256 = SHA, file = `pictures/${sha256}.png`, hash = '0'.repeat(16)): string =>
  `INSERT INTO pictures VALUES ('${sha256}', '${file}', 1, 1, 1, '${hash}', '2026')`
