import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LibraryDatabase } from '../../../main/store/database.ts'
import { openDatabase } from '../../../main/store/database.ts'
import { readRewardWeights, writeRewardWeights } from '../../../main/store/reward-weights.ts'
import { insertRun } from '../../../main/store/runs.ts'
import { idOf, RUN } from './example-rows.ts'

let database: LibraryDatabase

beforeEach(() => {
  database = openDatabase(':memory:')
  insertRun(database, RUN)
})

afterEach(() => database.close())

describe('migration 9: reward weights', () => {
  it('keeps the latest weight of every part of a run', () => {
    writeRewardWeights(database, RUN.id, [{ reward: 'critic', weight: 1 }, { reward: 'taste', weight: 0.5 }])
    writeRewardWeights(database, RUN.id, [{ reward: 'taste', weight: -0.25 }])
    expect(readRewardWeights(database, RUN.id)).toEqual([{ reward: 'critic', weight: 1 }, { reward: 'taste', weight: -0.25 }])
  })

  it('refuses weights without a run, a name or a number, and forgets them with their run', () => {
    expect(() => writeRewardWeights(database, idOf(99), [{ reward: 'critic', weight: 1 }])).toThrow('FOREIGN KEY')
    expect(() => writeRewardWeights(database, RUN.id, [{ reward: '', weight: 1 }])).toThrow('CHECK')
    expect(() => writeRewardWeights(database, RUN.id, [{ reward: 'critic', weight: NaN }])).toThrow('NOT NULL')
    writeRewardWeights(database, RUN.id, [{ reward: 'critic', weight: 1 }])
    database.prepare('DELETE FROM runs WHERE id = ?').run(RUN.id)
    expect(readRewardWeights(database, RUN.id)).toEqual([])
  })
})
