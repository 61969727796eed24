import { RecipeJson } from './runs.ts'
import type { LibraryDatabase } from './database.ts'

/** Prompts in stages that the person wrote. */
export interface StoredTemplate {
  readonly id: string
  readonly name: string
  /** As the engine judged it sound. */
  readonly template: RecipeJson
  readonly createdAt: string
  readonly updatedAt: string
}

type Row = Omit<StoredTemplate, 'template'> & { readonly template: string }

const COLUMNS = 'id, name, template, created_at AS createdAt, updated_at AS updatedAt'

/** Every template that is not in the bin, by name. */
export function readTemplates(database: LibraryDatabase): StoredTemplate[] {
  return database.prepare<[], Row>(`SELECT ${COLUMNS} FROM templates WHERE deleted_at IS NULL ORDER BY name, id`).all().map(templateOf)
}

/** The template, also when it lies in the bin. */
export function readTemplate(database: LibraryDatabase, id: string): StoredTemplate | undefined {
  const row = database.prepare<[string], Row>(`SELECT ${COLUMNS} FROM templates WHERE id = ?`).get(id)
  return row && templateOf(row)
}

/** Adds a template, or puts it in the place of the one with its id. */
export function writeTemplate(database: LibraryDatabase, template: StoredTemplate): void {
  database
    .prepare(`
      INSERT INTO templates (id, name, template, created_at, updated_at) VALUES (@id, @name, @template, @createdAt, @updatedAt)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, template = excluded.template, updated_at = excluded.updated_at
    `)
    .run({ ...template, template: JSON.stringify(template.template) })
}

function templateOf(row: Row): StoredTemplate {
  return { ...row, template: RecipeJson.parse(JSON.parse(row.template)) }
}
