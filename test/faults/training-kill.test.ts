import { expect, it } from 'vitest'
import { CHECKPOINT_EVERY, killRuns } from './killed-runs.ts'

// `node test/faults/kill-run.ts` does the same with as many kills as one likes.
it('a run that is killed at random moments ends with the very adapter of one that was not', { timeout: 300_000 }, async () => {
  const { kills, different, mostLost, finished } = await killRuns(6, 11)
  expect({ kills, different }).toEqual({ kills: 6, different: 0 })
  expect(finished).toBeGreaterThan(0)
  expect(mostLost).toBeLessThanOrEqual(CHECKPOINT_EVERY)
})
