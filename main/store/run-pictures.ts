import type { LibraryDatabase } from './database.ts'

/** A picture that a run made for people. */
export interface RunPicture {
  readonly update: number
  /** Which of the run's noises it was made from. */
  readonly position: number
  /** Inside the library folder, with forward slashes. */
  readonly file: string
}

/** Adds pictures in one transaction; those of the same update and noise are replaced. */
export function writeRunPictures(database: LibraryDatabase, runId: string, pictures: readonly RunPicture[]): void {
  const insert = database.prepare(`
    INSERT OR REPLACE INTO samples (run_id, update_number, position, file) VALUES (@runId, @update, @position, @file)
  `)
  database.transaction(() => {
    for (const picture of pictures) insert.run({ ...picture, runId })
  })()
}

/** All of a run's pictures, by update and noise. */
export function readRunPictures(database: LibraryDatabase, runId: string): RunPicture[] {
  return database
    .prepare<[string], RunPicture>(`
      SELECT update_number AS "update", position, file FROM samples WHERE run_id = ? ORDER BY update_number, position
    `)
    .all(runId)
}

/** The first picture of the latest update that has any. */
export function readCover(database: LibraryDatabase, runId: string): string | undefined {
  return database
    .prepare<[string], { file: string }>('SELECT file FROM samples WHERE run_id = ? ORDER BY update_number DESC, position LIMIT 1')
    .get(runId)?.file
}

/** A state that a run can go on from. */
export interface RunCheckpoint {
  readonly update: number
  readonly file: string
  readonly best: boolean
}

/** Adds a checkpoint; when it is the best one, no other is. */
export function writeCheckpointRow(database: LibraryDatabase, runId: string, { update, file, best }: RunCheckpoint): void {
  database.transaction(() => {
    if (best) database.prepare('UPDATE checkpoints SET best = 0 WHERE run_id = ?').run(runId)
    database
      .prepare('INSERT OR REPLACE INTO checkpoints (run_id, update_number, file, best) VALUES (?, ?, ?, ?)')
      .run(runId, update, file, Number(best))
  })()
}

export function readCheckpoints(database: LibraryDatabase, runId: string): RunCheckpoint[] {
  return database
    .prepare<[string], { update: number; file: string; best: number }>(`
      SELECT update_number AS "update", file, best FROM checkpoints WHERE run_id = ? ORDER BY update_number
    `)
    .all(runId)
    .map(({ update, file, best }) => ({ update, file, best: best === 1 }))
}
