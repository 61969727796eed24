import type { LibraryDatabase } from './database.ts'

/** A picture of a dataset. */
export interface DatasetImage {
  readonly id: number
  /** SHA-256. */
  readonly picture: string
  /** Inside the library folder, with forward slashes. */
  readonly file: string
  /** Of the file that it came from. */
  readonly name: string
  readonly caption: string
  readonly width: number
  readonly height: number
  readonly perceptualHash: string
}

const SELECT = `
  SELECT dataset_images.id, picture, file, name, caption, width, height, perceptual_hash AS perceptualHash
  FROM dataset_images JOIN pictures ON sha256 = picture`
const SHOWN = 'dataset_id = @datasetId AND deleted_at IS NULL'
/** Everywhere, whatever the search holds: % and _ mean themselves. */
const FOUND = "(@search = '' OR instr(lower(name), lower(@search)) > 0 OR instr(lower(caption), lower(@search)) > 0)"
const ORDER = 'ORDER BY name, dataset_images.id'

export interface ImageQuery {
  readonly datasetId: string
  /** In names and captions; empty for all. */
  readonly search: string
  readonly offset: number
  readonly limit: number
}

/** A page of a dataset's images by name, and how many there are in all. */
export function readImagePage(
  database: LibraryDatabase, { datasetId, search, offset, limit }: ImageQuery,
): { readonly total: number; readonly images: DatasetImage[] } {
  const where = { datasetId, search }
  const images = database
    .prepare<object, DatasetImage>(`${SELECT} WHERE ${SHOWN} AND ${FOUND} ${ORDER} LIMIT @limit OFFSET @offset`)
    .all({ ...where, limit, offset })
  const count = `SELECT count(*) AS total FROM dataset_images WHERE ${SHOWN} AND ${FOUND}`
  const total = database.prepare<object, { total: number }>(count).get(where)
  return { total: total?.total ?? 0, images }
}

/** All images of a dataset by name. */
export function readImages(database: LibraryDatabase, datasetId: string): DatasetImage[] {
  return database.prepare<object, DatasetImage>(`${SELECT} WHERE ${SHOWN} ${ORDER}`).all({ datasetId })
}

/** The image, also when it was removed, with the dataset that it is in. */
export function readImage(database: LibraryDatabase, id: number): (DatasetImage & { readonly datasetId: string }) | undefined {
  return database
    .prepare<[number], DatasetImage & { readonly datasetId: string }>(`
      ${SELECT.replace('SELECT', 'SELECT dataset_id AS datasetId,')} WHERE dataset_images.id = ?
    `)
    .get(id)
}

/** Adds a picture to a dataset; undefined when it is in it already. */
export function insertImage(database: LibraryDatabase, datasetId: string, picture: string, name: string): number | undefined {
  const { changes, lastInsertRowid } = database
    .prepare('INSERT INTO dataset_images (dataset_id, picture, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
    .run(datasetId, picture, name)
  return changes === 0 ? undefined : Number(lastInsertRowid)
}

/** Takes images out of their dataset, to be put back by `restoreImages`. */
export function removeImages(database: LibraryDatabase, ids: readonly number[]): void {
  const remove = database.prepare('UPDATE dataset_images SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL')
  const now = new Date().toISOString()
  database.transaction(() => ids.forEach((id) => remove.run(now, id)))()
}

/** Puts images back; those whose picture was added anew meanwhile stay out. How many came back. */
export function restoreImages(database: LibraryDatabase, ids: readonly number[]): number {
  const restore = database.prepare('UPDATE OR IGNORE dataset_images SET deleted_at = NULL WHERE id = ? AND deleted_at IS NOT NULL')
  return database.transaction(() => ids.reduce((count, id) => count + restore.run(id).changes, 0))()
}

/** The pictures of a dataset, those of removed images included. */
export function readPicturesOfDataset(database: LibraryDatabase, datasetId: string): string[] {
  return database
    .prepare<[string], { picture: string }>('SELECT DISTINCT picture FROM dataset_images WHERE dataset_id = ?')
    .all(datasetId)
    .map(({ picture }) => picture)
}

/** Forgets images that were taken out of their datasets, for good, and gives their pictures. */
export function deleteRemovedImages(database: LibraryDatabase): string[] {
  return database
    .prepare<[], { picture: string }>('DELETE FROM dataset_images WHERE deleted_at IS NOT NULL RETURNING picture')
    .all()
    .map(({ picture }) => picture)
}
