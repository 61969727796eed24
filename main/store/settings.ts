import type { z } from 'zod'
import type { LibraryDatabase } from './database.ts'

/** The value stored under `key`, or undefined when there is none or what is there does not fit the schema (any more). */
export function readSetting<T>(database: LibraryDatabase, key: string, schema: z.ZodType<T>): T | undefined {
  const row = database.prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?').get(key)
  return row && schema.safeParse(JSON.parse(row.value)).data
}

/** Stores a JSON value under `key`, in place of the one before. */
export function writeSetting(database: LibraryDatabase, key: string, value: unknown): void {
  database
    .prepare('INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    .run(key, JSON.stringify(value))
}

/** Forgets what is stored under `key`. */
export function deleteSetting(database: LibraryDatabase, key: string): void {
  database.prepare('DELETE FROM settings WHERE key = ?').run(key)
}
