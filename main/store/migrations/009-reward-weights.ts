import type { Migration } from './index.ts'

/** What the parts of a run's reward count, which can be changed while it goes on. */
export const rewardWeights: Migration = {
  id: 9,
  name: 'reward weights',
  up(database) {
    database.exec(`
      CREATE TABLE reward_weights (
        run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        -- The part's name.
        reward TEXT NOT NULL CHECK (reward <> ''),
        weight REAL NOT NULL,
        PRIMARY KEY (run_id, reward)
      ) STRICT, WITHOUT ROWID;
    `)
  },
}
