import { z } from 'zod'
import type { LibraryDatabase } from './database.ts'

/** Held-out prompts are never trained on. */
export type PromptKind = 'training' | 'held-out'

/** Prompts that belong together. */
export interface StoredPromptSet {
  readonly id: string
  readonly name: string
  readonly kind: PromptKind
  /** May hold {slots} and {one|of|these}. */
  readonly prompts: string[]
  readonly negative: string
  /** What each slot may become. */
  readonly slots: Record<string, string[]>
  readonly createdAt: string
  readonly updatedAt: string
}

type Row = Omit<StoredPromptSet, 'prompts' | 'slots'> & { readonly prompts: string; readonly slots: string }

const Prompts = z.array(z.string())
const Slots = z.record(z.string(), z.array(z.string()))
const COLUMNS = 'id, name, kind, prompts, negative, slots, created_at AS createdAt, updated_at AS updatedAt'

/** Every set that is not in the bin, by name. */
export function readPromptSets(database: LibraryDatabase): StoredPromptSet[] {
  return database.prepare<[], Row>(`SELECT ${COLUMNS} FROM prompt_sets WHERE deleted_at IS NULL ORDER BY name, id`).all().map(setOf)
}

/** The set, also when it lies in the bin. */
export function readPromptSet(database: LibraryDatabase, id: string): StoredPromptSet | undefined {
  const row = database.prepare<[string], Row>(`SELECT ${COLUMNS} FROM prompt_sets WHERE id = ?`).get(id)
  return row && setOf(row)
}

/** Adds a set, or puts it in the place of the one with its id. */
export function writePromptSet(database: LibraryDatabase, set: StoredPromptSet): void {
  database
    .prepare(`
      INSERT INTO prompt_sets (id, name, kind, prompts, negative, slots, created_at, updated_at)
      VALUES (@id, @name, @kind, @prompts, @negative, @slots, @createdAt, @updatedAt)
      ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, kind = excluded.kind, prompts = excluded.prompts, negative = excluded.negative, slots = excluded.slots,
        updated_at = excluded.updated_at
    `)
    .run({ ...set, prompts: JSON.stringify(set.prompts), slots: JSON.stringify(set.slots) })
}

function setOf(row: Row): StoredPromptSet {
  return { ...row, prompts: Prompts.parse(JSON.parse(row.prompts)), slots: Slots.parse(JSON.parse(row.slots)) }
}
