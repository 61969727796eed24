import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServices, type Services } from '../../main/services/services.ts'
import { type OpenApp, PATIENCE_MS, startApp } from './app-page.ts'
import { frameTimes, watchFrames } from './frame-times.ts'
import { startStarterRun, watchedEngine } from './starter-run.ts'

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'test-results', 'starter-story')
/** The page must say within this time that the engine has gone. */
const NOTICED_MS = 10_000
/** `npm run bench:frames` measures on a quiet machine; this only tells a page that hangs from one that waits for a busy processor. */
const FROZEN_MS = 3000

const watched = watchedEngine()
let app: OpenApp
let services: Services
let page: Page

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  app = await startApp((folder) => openServices(watched.engine, folder))
  services = app.services
  page = app.page
}, 3 * PATIENCE_MS)

afterAll(() => app.close())

describe('the engine is killed while a page watches it train', { timeout: 4 * PATIENCE_MS }, () => {
  it('which the page says within 10 s, and the run goes on from its checkpoint to its end', async () => {
    const id = await startStarterRun(services, 8)
    await page.evaluate(`location.hash = '#/runs/${id}'`)
    await page.getByRole('img', { name: 'Picture 1 before training' }).waitFor()
    await watchFrames(page)
    await expect.poll(() => services.runs.get(id, 1).summary.update).toBeGreaterThanOrEqual(3)

    const killed = watched.trainer()
    process.kill(killed!, 'SIGKILL')
    const at = performance.now()
    await page.getByText('It was started again, and the run goes on from its latest checkpoint.').waitFor({ timeout: NOTICED_MS })
    console.log(`The page said after ${((performance.now() - at) / 1000).toFixed(1)} s that the engine had been killed.`)
    await page.screenshot({ path: join(SCREENSHOTS, 'killed.png'), animations: 'disabled' })

    await page.getByRole('main').getByText('Finished', { exact: true }).waitFor({ timeout: 3 * PATIENCE_MS })
    expect(watched.trainer()).not.toBe(killed)
    const { metrics, log } = services.runs.get(id, 100)
    expect(metrics.update).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    const resumed = log.findLast(({ kind }) => kind === 'started')
    expect(resumed?.message).toMatch(/goes on from update [2-8]\./)
  })

  it('and the page never froze', async () => {
    const times = await frameTimes(page)
    console.log(`The longest of ${times.length} frames took ${Math.max(...times).toFixed(0)} ms.`)
    expect(times.length).toBeGreaterThan(20)
    expect(Math.max(...times)).toBeLessThan(FROZEN_MS)
  })
})
