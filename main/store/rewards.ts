import { RecipeJson } from './runs.ts'
import type { LibraryDatabase } from './database.ts'

/** A reward that the person set up. */
export interface StoredReward {
  readonly id: string
  readonly name: string
  /** As a recipe has it. */
  readonly spec: RecipeJson
  readonly notes: string
  readonly createdAt: string
  readonly updatedAt: string
}

type Row = Omit<StoredReward, 'spec'> & { readonly spec: string }

const COLUMNS = 'id, name, spec, notes, created_at AS createdAt, updated_at AS updatedAt'

/** Every reward that is not in the bin, by name. */
export function readRewards(database: LibraryDatabase): StoredReward[] {
  return database.prepare<[], Row>(`SELECT ${COLUMNS} FROM rewards WHERE deleted_at IS NULL ORDER BY name, id`).all().map(rewardOf)
}

/** The reward, also when it lies in the bin. */
export function readReward(database: LibraryDatabase, id: string): StoredReward | undefined {
  const row = database.prepare<[string], Row>(`SELECT ${COLUMNS} FROM rewards WHERE id = ?`).get(id)
  return row && rewardOf(row)
}

/** Adds a reward, or puts it in the place of the one with its id. */
export function writeReward(database: LibraryDatabase, reward: StoredReward): void {
  database
    .prepare(`
      INSERT INTO rewards (id, name, spec, notes, created_at, updated_at) VALUES (@id, @name, @spec, @notes, @createdAt, @updatedAt)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, spec = excluded.spec, notes = excluded.notes, updated_at = excluded.updated_at
    `)
    .run({ ...reward, spec: JSON.stringify(reward.spec) })
}

function rewardOf(row: Row): StoredReward {
  return { ...row, spec: RecipeJson.parse(JSON.parse(row.spec)) }
}
