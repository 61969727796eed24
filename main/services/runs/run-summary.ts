import { readAdapterIdOfRun } from '../../store/adapters.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readRunFigures } from '../../store/metrics.ts'
import { readModel } from '../../store/models.ts'
import { readCover } from '../../store/run-pictures.ts'
import type { StoredRun } from '../../store/runs.ts'
import { libraryUrl } from '../library-files.ts'

/** What a run was asked to do and has not done yet. */
export type RunWish = 'pause' | 'stop' | 'stop-and-keep-best'

/** A run in a list. */
export interface RunSummary extends Omit<StoredRun, 'recipe' | 'folder'> {
  readonly modelName: string | null
  /** Asked for, and done after the update at hand. */
  readonly wish: RunWish | null
  /** Mean rewards (losses with the sign turned, for runs on pictures). */
  readonly firstReward: number | null
  readonly latestReward: number | null
  /** Working time of all updates. */
  readonly seconds: number
  readonly timeLeft: number | null
  /** Address of its latest picture. */
  readonly cover: string | null
  /** What it made. */
  readonly adapterId: string | null
}

/** What a run that goes on is known to be up to. */
export interface RunOutlook {
  readonly wish: RunWish | null
  readonly timeLeft: number | null
}

export function summaryOf(database: LibraryDatabase, run: StoredRun, { wish, timeLeft }: RunOutlook): RunSummary {
  const { recipe: _recipe, folder: _folder, ...facts } = run
  const cover = readCover(database, run.id)
  return {
    ...facts,
    ...readRunFigures(database, run.id),
    modelName: run.modelId === null ? null : (readModel(database, run.modelId)?.name ?? null),
    wish,
    timeLeft,
    cover: cover === undefined ? null : libraryUrl(cover),
    adapterId: readAdapterIdOfRun(database, run.id) ?? null,
  }
}
