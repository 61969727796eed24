/** A run's rows from its folder: recipe, diary, pictures. */
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { TrainingEvent } from '../../engine/protocol.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { writeMetrics } from '../../store/metrics.ts'
import { readModelAt } from '../../store/models.ts'
import { appendRunLog } from '../../store/run-log.ts'
import { writeCheckpointRow, writeRunPictures } from '../../store/run-pictures.ts'
import { insertRun, type RecipeJson, type RunState } from '../../store/runs.ts'
import { parseJsonObject } from '../parse-json.ts'

/** A line of a run's diary. */
interface DatedEvent {
  readonly at: string
  readonly event: TrainingEvent
}

/**
 * Adds the run whose folder this is. False when it holds no recipe that says its model and updates, so that nothing can be told.
 * @param id the folder's name @param libraryFolder absolute
 */
export async function recoverRun(database: LibraryDatabase, libraryFolder: string, id: string): Promise<boolean> {
  const folder = join(libraryFolder, 'runs', id)
  const recipe = await recipeIn(folder)
  if (recipe === undefined || typeof recipe.model !== 'string' || typeof recipe.updates !== 'number') return false
  const events = await eventsIn(folder)
  const date = typeof recipe.date === 'string' ? recipe.date : (events[0]?.at ?? new Date().toISOString())
  const latest = events.findLast(({ event }) => event.type === 'progress')?.event
  insertRun(database, {
    id,
    name: `Recovered run of ${date.slice(0, 10)}`,
    goal: 'own-recipe',
    state: stateAfter(events),
    recipe,
    folder: `runs/${id}`,
    // What it ran on is not written down; the processor can do all.
    device: 'cpu',
    modelId: readModelAt(database, recipe.model)?.id ?? null,
    update: latest?.update ?? 0,
    updates: recipe.updates,
    reason: null,
    createdAt: date,
    startedAt: events[0]?.at ?? null,
    endedAt: events.findLast(({ event }) => event.type === 'finished')?.at ?? null,
  })
  writeEvents(database, id, events)
  return true
}

async function recipeIn(folder: string): Promise<RecipeJson | undefined> {
  try {
    return parseJsonObject(await readFile(join(folder, 'recipe.json'), 'utf8'), 'recipe.json')
  } catch {
    return undefined
  }
}

/** The diary, without lines that a kill has torn. */
async function eventsIn(folder: string): Promise<DatedEvent[]> {
  const text = await readFile(join(folder, 'events.jsonl'), 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => eventOf(line) ?? [])
}

function eventOf(line: string): DatedEvent | undefined {
  try {
    const { time, ...fields } = JSON.parse(line) as { readonly time?: unknown }
    const event = TrainingEvent.safeParse(fields)
    return event.success ? { at: String(time), event: event.data } : undefined
  } catch {
    return undefined
  }
}

function stateAfter(events: readonly DatedEvent[]): RunState {
  const last = events.findLast(({ event }) => ['finished', 'paused', 'failed', 'progress', 'started'].includes(event.type))?.event.type
  return last === 'finished' || last === 'paused' || last === 'failed' ? last : 'interrupted'
}

/** Files go by their names: the library may lie elsewhere by now. */
function writeEvents(database: LibraryDatabase, id: string, events: readonly DatedEvent[]): void {
  writeMetrics(database, id, events.flatMap(({ event }) => {
    if (event.type !== 'progress') return []
    const { update, reward, gradientNorm, learningRate, seconds, parts } = event
    return [{ update, ...reward, gradientNorm, learningRate, seconds, parts }]
  }))
  for (const { at, event } of events) {
    if (event.type === 'sample') {
      const fileOf = (path: string): string => `runs/${id}/samples/${basename(path)}`
      writeRunPictures(database, id, event.files.map((path, position) => ({ update: event.update, position, file: fileOf(path) })))
    }
    if (event.type === 'checkpoint') {
      const file = `runs/${id}/checkpoints/${basename(event.file)}`
      writeCheckpointRow(database, id, { update: event.update, file, best: event.best })
    }
    if (event.type === 'warning' || event.type === 'paused') {
      const { message, nextStep } = event
      appendRunLog(database, id, { at, update: event.update, kind: event.type === 'warning' ? event.kind : 'paused', message, nextStep })
    }
  }
}
