import type { LibraryDatabase } from './database.ts'

/** A caption that an image is to have. */
export interface NewCaption {
  readonly image: number
  readonly caption: string
}

/** Writes captions as one edit, which can be undone as one; what an image had before is kept as an earlier version. */
export function writeCaptions(database: LibraryDatabase, edit: string, captions: readonly NewCaption[]): void {
  const next = database.prepare<[number], { version: number }>(`
    SELECT coalesce(max(version), 0) + 1 AS version FROM captions WHERE image_id = ?
  `)
  const insert = database.prepare('INSERT INTO captions (image_id, version, caption, edit, written_at) VALUES (?, ?, ?, ?, ?)')
  const show = database.prepare('UPDATE dataset_images SET caption = ? WHERE id = ?')
  const now = new Date().toISOString()
  database.transaction(() => {
    for (const { image, caption } of captions) {
      insert.run(image, next.get(image)?.version ?? 1, caption, edit, now)
      show.run(caption, image)
    }
  })()
}

/**
 * Takes back an edit: each of its images gets the caption before it, unless it was edited again since. How many images changed.
 */
export function undoCaptions(database: LibraryDatabase, edit: string): number {
  const touched = database.prepare<[string], { image: number; version: number }>(`
    SELECT image_id AS image, version FROM captions AS edited WHERE edit = ?
      AND version = (SELECT max(version) FROM captions WHERE image_id = edited.image_id)
  `)
  const remove = database.prepare('DELETE FROM captions WHERE image_id = ? AND version = ?')
  const show = database.prepare(`
    UPDATE dataset_images SET caption = coalesce((SELECT caption FROM captions WHERE image_id = @image ORDER BY version DESC LIMIT 1), '')
    WHERE id = @image
  `)
  return database.transaction(() => {
    const rows = touched.all(edit)
    for (const { image, version } of rows) {
      remove.run(image, version)
      show.run({ image })
    }
    return rows.length
  })()
}

/** Every caption an image has had, oldest first. */
export function readCaptions(database: LibraryDatabase, image: number): string[] {
  return database
    .prepare<[number], { caption: string }>('SELECT caption FROM captions WHERE image_id = ? ORDER BY version')
    .all(image)
    .map(({ caption }) => caption)
}
