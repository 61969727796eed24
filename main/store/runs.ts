import { z } from 'zod'
import { Device, TrainingCommand } from '../engine/protocol.ts'
import type { LibraryDatabase } from './database.ts'

export const RUN_STATES = ['queued', 'running', 'paused', 'interrupted', 'finished', 'failed', 'stopped'] as const
export type RunState = (typeof RUN_STATES)[number]

/** Why a run does not go on. */
export interface RunReason {
  readonly message: string
  readonly nextStep: string
}

const Reason = z.strictObject({ message: z.string(), nextStep: z.string() })
/** A recipe as it is written down; what it may say is for the engine to judge. */
export const RecipeJson = z.record(z.string(), z.json())
export type RecipeJson = z.infer<typeof RecipeJson>

/** A training run as the library knows it. */
export interface StoredRun {
  readonly id: string
  readonly name: string
  readonly goal: string
  readonly state: RunState
  readonly recipe: RecipeJson
  /** Inside the library folder, with forward slashes. */
  readonly folder: string
  readonly device: Device
  readonly modelId: string | null
  /** Updates made. */
  readonly update: number
  readonly updates: number
  readonly reason: RunReason | null
  readonly createdAt: string
  readonly startedAt: string | null
  readonly endedAt: string | null
}

interface Row {
  readonly id: string
  readonly name: string
  readonly goal: string
  readonly state: RunState
  readonly recipe: string
  readonly folder: string
  readonly device: string
  readonly model_id: string | null
  readonly update_number: number
  readonly updates: number
  readonly reason: string | null
  readonly created_at: string
  readonly started_at: string | null
  readonly ended_at: string | null
}

/** Every run that is not in the bin, youngest first. */
export function readRuns(database: LibraryDatabase): StoredRun[] {
  return database.prepare<[], Row>('SELECT * FROM runs WHERE deleted_at IS NULL ORDER BY created_at DESC, id').all().map(runOf)
}

/** Every run, those in the bin included. */
export function readAllRuns(database: LibraryDatabase): StoredRun[] {
  return database.prepare<[], Row>('SELECT * FROM runs ORDER BY created_at, id').all().map(runOf)
}

/** The run, also when it lies in the bin. */
export function readRun(database: LibraryDatabase, id: string): StoredRun | undefined {
  const row = database.prepare<[string], Row>('SELECT * FROM runs WHERE id = ?').get(id)
  return row && runOf(row)
}

/** Adds a run that was not started yet. */
export function insertRun(database: LibraryDatabase, run: StoredRun): void {
  database
    .prepare(`
      INSERT INTO runs
        (id, name, goal, state, recipe, folder, device, model_id, update_number, updates, reason, created_at, started_at, ended_at)
      VALUES
        (@id, @name, @goal, @state, @recipe, @folder, @device, @modelId, @update, @updates, @reason, @createdAt, @startedAt, @endedAt)
    `)
    .run({ ...run, recipe: JSON.stringify(run.recipe), reason: run.reason && JSON.stringify(run.reason) })
}

/** What changes about a run while it goes on. `null` empties a field. */
export type RunChange = Partial<Pick<StoredRun, 'name' | 'state' | 'update' | 'reason' | 'startedAt' | 'endedAt'>>

const COLUMNS: Readonly<Record<keyof RunChange, string>> = {
  name: 'name',
  state: 'state',
  update: 'update_number',
  reason: 'reason',
  startedAt: 'started_at',
  endedAt: 'ended_at',
}

/** Changes what is given and leaves the rest. */
export function updateRun(database: LibraryDatabase, id: string, change: RunChange): void {
  const keys = (Object.keys(COLUMNS) as (keyof RunChange)[]).filter((key) => change[key] !== undefined)
  if (keys.length === 0) return
  const assignments = keys.map((key) => `${COLUMNS[key]} = @${key}`).join(', ')
  const reason = change.reason == null ? null : JSON.stringify(change.reason)
  database.prepare(`UPDATE runs SET ${assignments} WHERE id = @id`).run({ ...change, reason, id })
}

/** A run's turn in the queue, and what it is to be told when it comes. */
export interface QueuedRun {
  readonly runId: string
  readonly commands: readonly TrainingCommand[]
}

/** Puts a run at the end of the queue; one that waits already keeps its place and is told the commands as well. */
export function enqueueRun(database: LibraryDatabase, runId: string, commands: readonly TrainingCommand[], queuedAt: string): void {
  const waiting = readQueue(database).find((queued) => queued.runId === runId)
  const all = JSON.stringify([...(waiting?.commands ?? []), ...commands])
  database
    .prepare(`
      INSERT INTO jobs (run_id, commands, queued_at) VALUES (?, ?, ?)
      ON CONFLICT (run_id) DO UPDATE SET commands = excluded.commands
    `)
    .run(runId, all, queuedAt)
}

export function dequeueRun(database: LibraryDatabase, runId: string): void {
  database.prepare('DELETE FROM jobs WHERE run_id = ?').run(runId)
}

/** Runs that wait, in the order of their turns; those in the bin do not count. */
export function readQueue(database: LibraryDatabase): QueuedRun[] {
  return database
    .prepare<[], { run_id: string; commands: string }>(`
      SELECT run_id, commands FROM jobs JOIN runs ON runs.id = jobs.run_id WHERE deleted_at IS NULL ORDER BY jobs.id
    `)
    .all()
    .map(({ run_id: runId, commands }) => ({ runId, commands: z.array(TrainingCommand).parse(JSON.parse(commands)) }))
}

function runOf(row: Row): StoredRun {
  return {
    id: row.id,
    name: row.name,
    goal: row.goal,
    state: row.state,
    recipe: RecipeJson.parse(JSON.parse(row.recipe)),
    folder: row.folder,
    device: Device.parse(row.device),
    modelId: row.model_id,
    update: row.update_number,
    updates: row.updates,
    reason: row.reason === null ? null : Reason.parse(JSON.parse(row.reason)),
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }
}
