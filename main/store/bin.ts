import type { LibraryDatabase } from './database.ts'

/** Tables whose rows can lie in the bin. */
export const BIN_TABLES = ['models', 'runs', 'adapters', 'generations', 'prompt_sets', 'templates', 'datasets', 'rewards'] as const
export type BinTable = (typeof BIN_TABLES)[number]

/** Something that was deleted and can still be brought back. */
export interface BinEntry {
  readonly table: BinTable
  readonly id: string
  readonly name: string
  readonly deletedAt: string
}

/** Puts a row into the bin. */
export function discard(database: LibraryDatabase, table: BinTable, id: string): void {
  database.prepare(`UPDATE ${table} SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL`).run(new Date().toISOString(), id)
}

/** Takes a row out of the bin again. Fails by its constraint when something else has taken its place meanwhile. */
export function bringBack(database: LibraryDatabase, table: BinTable, id: string): void {
  database.prepare(`UPDATE ${table} SET deleted_at = NULL WHERE id = ?`).run(id)
}

/** Forgets a row of the bin for good, with all that belongs to it; whether there was one. */
export function deleteForGood(database: LibraryDatabase, table: BinTable, id: string): boolean {
  return database.prepare(`DELETE FROM ${table} WHERE id = ? AND deleted_at IS NOT NULL`).run(id).changes > 0
}

/** What lies in the bin, latest first. */
export function readBin(database: LibraryDatabase): BinEntry[] {
  return BIN_TABLES.flatMap((table) => {
    // Generations have no names but what they were asked to show.
    const name = table === 'generations' ? 'prompt AS name' : 'name'
    const select = `SELECT id, ${name}, deleted_at AS deletedAt FROM ${table} WHERE deleted_at IS NOT NULL`
    return database.prepare<[], Omit<BinEntry, 'table'>>(select).all().map((entry) => ({ ...entry, table }))
  }).sort((a, b) => (a.deletedAt < b.deletedAt ? 1 : -1))
}
