/**
 * `npm run bench:frames`: how long the window leaves a frame waiting, in Chromium over the local host: while the starter trains, and
 * while a dataset of ten thousand pictures is scrolled from top to bottom. Prints a table and writes it to test/bench/results.
 *
 *     npm run bench:frames -- [--updates 20] [--pictures 10000] [--threads 1]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, Page } from 'playwright'
import sharp from 'sharp'
import type { LocalHost } from '../../../main/host/local.ts'
import { openServices, type Services } from '../../../main/services/services.ts'
import { openApp, serveApp, startBrowser } from '../../e2e/app-page.ts'
import { frameTimes, watchFrames } from '../../e2e/frame-times.ts'
import { startStarterRun, watchedEngine } from '../../e2e/starter-run.ts'
import { circumstances, markdownTable, saveReport } from '../report.ts'

const { values: options } = parseArgs({
  options: {
    updates: { type: 'string', default: '20' },
    pictures: { type: 'string', default: '10000' },
    /** Of the training: a browser that draws on the processor needs one of its own. */
    threads: { type: 'string', default: String(Math.max(1, os.availableParallelism() - 1)) },
  },
})

/** A frame that waits longer can be felt. */
const LIMIT_MS = 100
const SCROLLS = 200

const folder = mkdtempSync(path.join(os.tmpdir(), 'halfstep-frames-'))
const services = openServices(watchedEngine().engine, path.join(folder, 'library'))
services.start()
const browser = await startBrowser()
const host = await serveApp(services)
try {
  const rows = [await whileTraining(services, browser, host), await whileScrolling(services, browser, host)]
  const text = [
    '# Frames of the window',
    '',
    circumstances(),
    `Chromium without a graphics card: it shares the processor with the training, which has ${options.threads} of its threads.`,
    '',
    markdownTable([['while', 'frames', 'median, ms', '99 %, ms', 'longest, ms', `over ${LIMIT_MS} ms`], ...rows]),
  ].join('\n')
  console.log(`\n${text}\n\nWritten to ${saveReport('frames', text)}`)
} finally {
  await browser.close()
  await host.close()
  services.close()
  rmSync(folder, { recursive: true, force: true })
}

/** The page of a run, pictures and curves and all, until the run has finished. */
async function whileTraining(services: Services, browser: Browser, host: LocalHost): Promise<string[]> {
  const { page } = await openApp(browser, host, { width: 1280, height: 840 })
  const id = await startStarterRun(services, Number(options.updates), { threads: Number(options.threads) })
  await page.evaluate(`location.hash = '#/runs/${id}'`)
  await page.getByRole('img', { name: 'Picture 1 before training' }).waitFor()
  await watchFrames(page)
  await page.getByRole('main').getByText('Finished', { exact: true }).waitFor({ timeout: 0 })
  return rowOf('a run trains, watched', page)
}

async function whileScrolling(services: Services, browser: Browser, host: LocalHost): Promise<string[]> {
  const { id } = services.datasets.create('Many pictures')
  const drawn = await drawMany(Number(options.pictures))
  console.log(`Importing ${options.pictures} pictures …`)
  await services.tasks.run(undefined, 'Reading pictures', (task) => services.datasets.import(id, [drawn], task))
  const { page } = await openApp(browser, host, { width: 1280, height: 840 })
  await page.evaluate(`location.hash = '#/datasets/${id}'`)
  await page.getByRole('heading', { level: 1, name: 'Datasets' }).waitFor()
  await page.getByRole('list').getByRole('listitem').first().waitFor()
  await page.waitForTimeout(1000)
  await watchFrames(page)
  for (let step = 1; step <= SCROLLS; step++) {
    await page.evaluate(`{
      const scroller = document.querySelector('[data-scroller]') ?? document.documentElement
      scroller.scrollTop = ${step / SCROLLS} * (scroller.scrollHeight - scroller.clientHeight)
    }`)
    await page.waitForTimeout(30)
  }
  return rowOf(`${options.pictures} pictures are scrolled`, page)
}

/** Pictures of a colour each, in a folder. */
async function drawMany(count: number): Promise<string> {
  const target = path.join(folder, 'pictures')
  mkdirSync(target)
  for (let i = 0; i < count; i++) {
    // Each another: pictures that are the same are taken once.
    const background = { r: i % 256, g: Math.floor(i / 256) % 256, b: (7 * i) % 256 }
    await sharp({ create: { width: 96, height: 96, channels: 3, background } }).png().toFile(path.join(target, `${i}.png`))
  }
  return target
}

async function rowOf(name: string, page: Page): Promise<string[]> {
  const times = (await frameTimes(page)).toSorted((a, b) => a - b)
  const at = (share: number): string => (times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN).toFixed(0)
  const late = times.filter((time) => time > LIMIT_MS).length
  await page.context().close()
  return [name, String(times.length), at(0.5), at(0.99), at(1), String(late)]
}
