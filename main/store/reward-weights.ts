import type { LibraryDatabase } from './database.ts'

/** What a part of a run's reward counts. */
export interface RewardWeight {
  readonly reward: string
  readonly weight: number
}

/** Takes down what parts count; others stay as they were. */
export function writeRewardWeights(database: LibraryDatabase, runId: string, weights: readonly RewardWeight[]): void {
  const insert = database.prepare('INSERT OR REPLACE INTO reward_weights (run_id, reward, weight) VALUES (?, ?, ?)')
  database.transaction(() => {
    for (const { reward, weight } of weights) insert.run(runId, reward, weight)
  })()
}

/** By name; none before the run began. */
export function readRewardWeights(database: LibraryDatabase, runId: string): RewardWeight[] {
  return database.prepare<[string], RewardWeight>('SELECT reward, weight FROM reward_weights WHERE run_id = ? ORDER BY reward').all(runId)
}
