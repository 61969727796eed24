import { RecipeJson } from './runs.ts'
import type { LibraryDatabase } from './database.ts'

/** A picture that was made in the studio. */
export interface StoredGeneration {
  readonly id: string
  /** SHA-256 of a picture of the library. */
  readonly picture: string
  /** Pictures of one request, in order. */
  readonly batch: string
  readonly position: number
  readonly prompt: string
  readonly seed: number
  /** Everything that was asked for. */
  readonly recipe: RecipeJson
  readonly modelId: string | null
  /** SHA-256 of the picture that this one is a repair of; null for what was made from nothing. */
  readonly source: string | null
  readonly createdAt: string
}

/** With the file of the picture, and of its source, inside the library folder. */
export interface GenerationWithPicture extends StoredGeneration {
  readonly file: string
  readonly width: number
  readonly height: number
  readonly sourceFile: string | null
}

type Row = Omit<GenerationWithPicture, 'recipe'> & { readonly recipe: string }

const SELECT = `
  SELECT id, picture, batch, position, prompt, seed, recipe, model_id AS modelId, source, created_at AS createdAt,
    made.file, made.width, made.height, before.file AS sourceFile
  FROM generations JOIN pictures AS made ON made.sha256 = picture LEFT JOIN pictures AS before ON before.sha256 = source`

export function insertGeneration(database: LibraryDatabase, generation: StoredGeneration): void {
  database
    .prepare(`
      INSERT INTO generations (id, picture, batch, position, prompt, seed, recipe, model_id, source, created_at)
      VALUES (@id, @picture, @batch, @position, @prompt, @seed, @recipe, @modelId, @source, @createdAt)
    `)
    .run({ ...generation, recipe: JSON.stringify(generation.recipe) })
}

/** A page of what is not in the bin, youngest first, and how much there is in all. */
export function readGenerations(
  database: LibraryDatabase, offset: number, limit: number,
): { readonly total: number; readonly generations: GenerationWithPicture[] } {
  const rows = database
    .prepare<[number, number], Row>(`${SELECT} WHERE deleted_at IS NULL ORDER BY created_at DESC, batch, position LIMIT ? OFFSET ?`)
    .all(limit, offset)
  const total = Number(database.prepare('SELECT count(*) FROM generations WHERE deleted_at IS NULL').pluck().get())
  return { total, generations: rows.map(generationOf) }
}

/** The generation, also when it lies in the bin. */
export function readGeneration(database: LibraryDatabase, id: string): GenerationWithPicture | undefined {
  const row = database.prepare<[string], Row>(`${SELECT} WHERE id = ?`).get(id)
  return row && generationOf(row)
}

/** The pictures of the latest generations that are not in the bin, youngest first, each once. */
export function readRecentPictures(database: LibraryDatabase, limit: number): string[] {
  return database
    .prepare<[number], { picture: string }>(`
      SELECT picture FROM generations WHERE deleted_at IS NULL GROUP BY picture ORDER BY max(created_at) DESC, picture LIMIT ?
    `)
    .all(limit)
    .map(({ picture }) => picture)
}

function generationOf(row: Row): GenerationWithPicture {
  return { ...row, recipe: RecipeJson.parse(JSON.parse(row.recipe)) }
}
