import type { Database } from 'better-sqlite3'
import { settingsAndDevices } from './001-settings-and-devices.ts'
import { models } from './002-models.ts'
import { runs } from './003-runs.ts'
import { picturesAndAdapters } from './004-pictures-and-adapters.ts'
import { promptsAndTemplates } from './005-prompts-and-templates.ts'
import { datasets } from './006-datasets.ts'
import { rewardsAndRatings } from './007-rewards-and-ratings.ts'
import { repairedPictures } from './008-repaired-pictures.ts'
import { rewardWeights } from './009-reward-weights.ts'

/** One step of the schema. Once released a migration never changes: a correction is a new one. */
export interface Migration {
  /** Its position, from 1 without gaps: the `user_version` of a database that has it. */
  readonly id: number
  readonly name: string
  /** Changes the schema and the rows. Runs inside a transaction, so it must not begin or commit one. */
  up(database: Database): void
}

/** Every migration, oldest first. */
export const MIGRATIONS: readonly Migration[] = [
  settingsAndDevices, models, runs, picturesAndAdapters, promptsAndTemplates, datasets, rewardsAndRatings,
  repairedPictures, rewardWeights,
]
