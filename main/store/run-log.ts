import type { LibraryDatabase } from './database.ts'

/** Something that happened in a run, in words. */
export interface RunLogEntry {
  /** ISO 8601. */
  readonly at: string
  readonly update: number
  /** What it is, for programs: `started`, `warning`, `paused`, `restarted`, … */
  readonly kind: string
  readonly message: string
  readonly nextStep: string
}

export function appendRunLog(database: LibraryDatabase, runId: string, entry: RunLogEntry): void {
  database
    .prepare(`
      INSERT INTO run_log (run_id, at, update_number, kind, message, next_step) VALUES (@runId, @at, @update, @kind, @message, @nextStep)
    `)
    .run({ ...entry, runId })
}

/** A run's diary, oldest first; at most the latest thousand entries. */
export function readRunLog(database: LibraryDatabase, runId: string): RunLogEntry[] {
  return database
    .prepare<[string], RunLogEntry>(`
      SELECT at, update_number AS "update", kind, message, next_step AS nextStep
      FROM (SELECT * FROM run_log WHERE run_id = ? ORDER BY id DESC LIMIT 1000) ORDER BY id
    `)
    .all(runId)
}
