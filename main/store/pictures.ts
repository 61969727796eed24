import type { LibraryDatabase } from './database.ts'

/** A picture file in the library folder. */
export interface StoredPicture {
  /** Of the file, in hexadecimal digits. */
  readonly sha256: string
  /** Inside the library folder, with forward slashes. */
  readonly file: string
  readonly bytes: number
  /** Of the upright picture, in pixels. */
  readonly width: number
  readonly height: number
  /** 64 bits in hexadecimal digits. */
  readonly perceptualHash: string
  readonly addedAt: string
}

const COLUMNS = 'sha256, file, bytes, width, height, perceptual_hash AS perceptualHash, added_at AS addedAt'

/** Adds a picture; nothing when it is known. */
export function insertPicture(database: LibraryDatabase, picture: StoredPicture): void {
  database
    .prepare(`
      INSERT INTO pictures (sha256, file, bytes, width, height, perceptual_hash, added_at)
      VALUES (@sha256, @file, @bytes, @width, @height, @perceptualHash, @addedAt) ON CONFLICT (sha256) DO NOTHING
    `)
    .run(picture)
}

export function readPicture(database: LibraryDatabase, sha256: string): StoredPicture | undefined {
  return database.prepare<[string], StoredPicture>(`SELECT ${COLUMNS} FROM pictures WHERE sha256 = ?`).get(sha256)
}

export function readPictures(database: LibraryDatabase): StoredPicture[] {
  return database.prepare<[], StoredPicture>(`SELECT ${COLUMNS} FROM pictures ORDER BY sha256`).all()
}

/** Where the picture is still used: forgetting it would take something from there. */
export function isPictureUsed(database: LibraryDatabase, sha256: string): boolean {
  const used = database.prepare<{ sha256: string }, { used: number }>(`
    SELECT EXISTS (SELECT 1 FROM generations WHERE picture = @sha256 OR source = @sha256)
        OR EXISTS (SELECT 1 FROM dataset_images WHERE picture = @sha256)
        OR EXISTS (SELECT 1 FROM adapters WHERE preview = @sha256)
        OR EXISTS (SELECT 1 FROM ratings WHERE left_one = @sha256 OR right_one = @sha256) AS used
  `).get({ sha256 })
  return used?.used === 1
}

export function deletePicture(database: LibraryDatabase, sha256: string): void {
  database.prepare('DELETE FROM pictures WHERE sha256 = ?').run(sha256)
}
