import { ModelSummary } from '../engine/protocol.ts'
import type { LibraryDatabase } from './database.ts'

/** A checkpoint that the library knows. */
export interface StoredModel {
  readonly id: string
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly summary: ModelSummary
  readonly missing: boolean
  readonly builtIn: boolean
  /** ISO 8601. */
  readonly addedAt: string
}

interface Row {
  readonly id: string
  readonly name: string
  readonly path: string
  readonly summary: string
  readonly missing: number
  readonly built_in: number
  readonly added_at: string
}

/** Every model that is not in the bin, by name. */
export function readModels(database: LibraryDatabase): StoredModel[] {
  const select = 'SELECT * FROM models WHERE deleted_at IS NULL ORDER BY built_in DESC, name, added_at'
  return database.prepare<[], Row>(select).all().map(modelOf)
}

/** The model, also when it lies in the bin. */
export function readModel(database: LibraryDatabase, id: string): StoredModel | undefined {
  const row = database.prepare<[string], Row>('SELECT * FROM models WHERE id = ?').get(id)
  return row && modelOf(row)
}

/** The model at a path that is not in the bin. */
export function readModelAt(database: LibraryDatabase, path: string): StoredModel | undefined {
  const row = database.prepare<[string], Row>('SELECT * FROM models WHERE path = ? AND deleted_at IS NULL').get(path)
  return row && modelOf(row)
}

export function insertModel(database: LibraryDatabase, { id, name, path, summary, missing, builtIn, addedAt }: StoredModel): void {
  database
    .prepare(`
      INSERT INTO models (id, name, path, family, summary, missing, built_in, added_at)
      VALUES (@id, @name, @path, @family, @summary, @missing, @builtIn, @addedAt)
    `)
    .run({
      id, name, path, addedAt, family: summary.family, summary: JSON.stringify(summary), missing: Number(missing), builtIn: Number(builtIn),
    })
}

/** What can change about a model. */
export type ModelChange = Partial<Pick<StoredModel, 'name' | 'path' | 'summary' | 'missing'>>

/** Changes what is given and leaves the rest. */
export function updateModel(database: LibraryDatabase, id: string, change: ModelChange): void {
  const { name = null, path = null, summary, missing } = change
  database
    .prepare(`
      UPDATE models SET
        name = coalesce(@name, name), path = coalesce(@path, path), family = coalesce(@family, family),
        summary = coalesce(@summary, summary), missing = coalesce(@missing, missing)
      WHERE id = @id
    `)
    .run({
      id, name, path,
      family: summary?.family ?? null,
      summary: summary === undefined ? null : JSON.stringify(summary),
      missing: missing === undefined ? null : Number(missing),
    })
}

function modelOf({ id, name, path, summary, missing, built_in: builtIn, added_at: addedAt }: Row): StoredModel {
  return { id, name, path, summary: ModelSummary.parse(JSON.parse(summary)), missing: missing === 1, builtIn: builtIn === 1, addedAt }
}
