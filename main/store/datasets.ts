import type { LibraryDatabase } from './database.ts'

/** A collection of captioned pictures. */
export interface StoredDataset {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly images: number
  /** SHA-256 of its first picture. */
  readonly cover: string | null
}

const SELECT = `
  SELECT id, name, created_at AS createdAt,
    (SELECT count(*) FROM dataset_images WHERE dataset_id = datasets.id AND deleted_at IS NULL) AS images,
    (SELECT picture FROM dataset_images WHERE dataset_id = datasets.id AND deleted_at IS NULL ORDER BY name, id LIMIT 1) AS cover
  FROM datasets`

/** Every dataset that is not in the bin, by name. */
export function readDatasets(database: LibraryDatabase): StoredDataset[] {
  return database.prepare<[], StoredDataset>(`${SELECT} WHERE deleted_at IS NULL ORDER BY name, id`).all()
}

/** The dataset, also when it lies in the bin. */
export function readDataset(database: LibraryDatabase, id: string): StoredDataset | undefined {
  return database.prepare<[string], StoredDataset>(`${SELECT} WHERE id = ?`).get(id)
}

/** Every dataset, those in the bin included. */
export function readAllDatasetIds(database: LibraryDatabase): string[] {
  return database.prepare<[], { id: string }>('SELECT id FROM datasets').all().map(({ id }) => id)
}

export function insertDataset(database: LibraryDatabase, id: string, name: string, createdAt: string): void {
  database.prepare('INSERT INTO datasets (id, name, created_at) VALUES (?, ?, ?)').run(id, name, createdAt)
}

export function renameDataset(database: LibraryDatabase, id: string, name: string): void {
  database.prepare('UPDATE datasets SET name = ? WHERE id = ?').run(name, id)
}

/** A dataset as it was when it was trained on. */
export interface DatasetVersion {
  readonly version: number
  /** SHA-256 over pictures and captions. */
  readonly content: string
  /** Inside the library folder, with forward slashes. */
  readonly folder: string
  readonly images: number
  readonly madeAt: string
}

/** Oldest first. */
export function readVersions(database: LibraryDatabase, datasetId: string): DatasetVersion[] {
  return database
    .prepare<[string], DatasetVersion>(`
      SELECT version, content, folder, images, made_at AS madeAt FROM dataset_versions WHERE dataset_id = ? ORDER BY version
    `)
    .all(datasetId)
}

export function insertVersion(database: LibraryDatabase, datasetId: string, version: DatasetVersion): void {
  database
    .prepare(`
      INSERT INTO dataset_versions (dataset_id, version, content, folder, images, made_at)
      VALUES (@datasetId, @version, @content, @folder, @images, @madeAt)
    `)
    .run({ ...version, datasetId })
}
