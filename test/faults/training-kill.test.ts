import { expect, it } from 'vitest'
import { CHECKPOINT_EVERY, killRuns } from './killed-runs.ts'

/** Each costs a start of the engine and half a run. */
const KILLS = 3

// `node test/faults/kill-run.ts` does the same with as many kills as one likes.
it('a run that is killed at random moments ends with the very adapter of one that was not', { timeout: 900_000 }, async () => {
  const { kills, different, mostLost, finished } = await killRuns(KILLS, 11)
  expect({ kills, different }).toEqual({ kills: KILLS, different: 0 })
  expect(finished).toBeGreaterThan(0)
  expect(mostLost).toBeLessThanOrEqual(CHECKPOINT_EVERY)
})
