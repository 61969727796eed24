import { AdapterSummary } from '../engine/protocol.ts'
import type { LibraryDatabase } from './database.ts'

/** Where an adapter came from. */
export type AdapterOrigin = 'run' | 'import' | 'merge'

/** A LoRA that the library keeps. */
export interface StoredAdapter {
  readonly id: string
  readonly name: string
  readonly sha256: string
  /** Inside the library folder, with forward slashes. */
  readonly file: string
  readonly bytes: number
  readonly summary: AdapterSummary
  readonly origin: AdapterOrigin
  readonly runId: string | null
  readonly triggerWords: string
  readonly notes: string
  /** What it is used with unless something else is asked for. */
  readonly strength: number
  /** SHA-256 of a picture of the library. */
  readonly preview: string | null
  readonly addedAt: string
}

type Row = Omit<StoredAdapter, 'summary'> & { readonly summary: string }

const COLUMNS = `
  id, name, sha256, file, bytes, summary, origin, run_id AS runId, trigger_words AS triggerWords, notes, strength, preview,
  added_at AS addedAt`

/** Every adapter that is not in the bin, youngest first. */
export function readAdapters(database: LibraryDatabase): StoredAdapter[] {
  const select = `SELECT ${COLUMNS} FROM adapters WHERE deleted_at IS NULL ORDER BY added_at DESC, id`
  return database.prepare<[], Row>(select).all().map(adapterOf)
}

/** The adapter, also when it lies in the bin. */
export function readAdapter(database: LibraryDatabase, id: string): StoredAdapter | undefined {
  const row = database.prepare<[string], Row>(`SELECT ${COLUMNS} FROM adapters WHERE id = ?`).get(id)
  return row && adapterOf(row)
}

/** The adapter with this content that is not in the bin. */
export function readAdapterOf(database: LibraryDatabase, sha256: string): StoredAdapter | undefined {
  const row = database.prepare<[string], Row>(`SELECT ${COLUMNS} FROM adapters WHERE sha256 = ? AND deleted_at IS NULL`).get(sha256)
  return row && adapterOf(row)
}

/** The adapter that a run made, unless it lies in the bin. */
export function readAdapterIdOfRun(database: LibraryDatabase, runId: string): string | undefined {
  const select = "SELECT id FROM adapters WHERE run_id = ? AND origin = 'run' AND deleted_at IS NULL ORDER BY added_at DESC LIMIT 1"
  return database.prepare<[string], { id: string }>(select).get(runId)?.id
}

export function insertAdapter(database: LibraryDatabase, adapter: StoredAdapter): void {
  database
    .prepare(`
      INSERT INTO adapters
        (id, name, sha256, file, bytes, summary, origin, run_id, trigger_words, notes, strength, preview, added_at)
      VALUES (@id, @name, @sha256, @file, @bytes, @summary, @origin, @runId, @triggerWords, @notes, @strength, @preview, @addedAt)
    `)
    .run({ ...adapter, summary: JSON.stringify(adapter.summary) })
}

/** What people change about an adapter. */
export type AdapterChange = { readonly [K in 'name' | 'triggerWords' | 'notes' | 'strength' | 'preview']?: StoredAdapter[K] | undefined }

/** Changes what is given and leaves the rest. */
export function updateAdapter(database: LibraryDatabase, id: string, change: AdapterChange): void {
  const { name = null, triggerWords = null, notes = null, strength = null, preview = null } = change
  database
    .prepare(`
      UPDATE adapters SET
        name = coalesce(@name, name), trigger_words = coalesce(@triggerWords, trigger_words), notes = coalesce(@notes, notes),
        strength = coalesce(@strength, strength), preview = coalesce(@preview, preview)
      WHERE id = @id
    `)
    .run({ id, name, triggerWords, notes, strength, preview })
}

/** The files of all adapters, those in the bin included. */
export function readAllAdapterFiles(database: LibraryDatabase): { readonly sha256: string; readonly file: string }[] {
  return database.prepare<[], { sha256: string; file: string }>('SELECT DISTINCT sha256, file FROM adapters ORDER BY file').all()
}

/** Whether any adapter, in the bin or not, still has this content. */
export function isAdapterContentUsed(database: LibraryDatabase, sha256: string): boolean {
  return database.prepare('SELECT 1 FROM adapters WHERE sha256 = ? LIMIT 1').get(sha256) !== undefined
}

function adapterOf(row: Row): StoredAdapter {
  return { ...row, summary: AdapterSummary.parse(JSON.parse(row.summary)) }
}
