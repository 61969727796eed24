import type { Database } from 'better-sqlite3'
import type { Migration } from './migrations/index.ts'

/**
 * Runs the migrations that the database has not seen, each in a transaction of its own together with its `user_version`,
 * so that a crash leaves either the old schema or the new one. Does nothing when the schema is current.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  for (const migration of migrations) {
    database.transaction(() => {
      // Read inside the write lock: another process may have migrated while this one waited.
      const version = Number(database.pragma('user_version', { simple: true }))
      if (migration.id <= version) return
      migration.up(database)
      database.pragma(`user_version = ${migration.id}`)
    }).immediate()
  }
}
