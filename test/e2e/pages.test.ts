import { AxeBuilder } from '@axe-core/playwright'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import type { LocalHost } from '../../main/host/local.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import { type AppPage, type Look, openApp, serveApp, startBrowser } from './app-page.ts'
import { fillLibrary, type SampleIds, SCRIPTS } from './sample-library.ts'
import { scriptedEngine } from './scripted-engine.ts'

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'test-results', 'pages')

let browser: Browser
let folder: string
let services: Services
let host: LocalHost
let ids: SampleIds

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  folder = mkdtempSync(join(tmpdir(), 'halfstep-pages-'))
  browser = await startBrowser()
  services = openServices(scriptedEngine(SCRIPTS, engineIn(forkLauncher())), folder)
  services.start()
  ids = await fillLibrary(services)
  host = await serveApp(services)
})

afterAll(async () => {
  await browser.close()
  await host.close()
  services.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Every page that the filled library has, by the name of its screenshot. */
const PAGES: readonly (readonly [string, () => string, RegExp])[] = [
  ['home', () => '#/', /Welcome back/],
  ['models', () => '#/models', /Models/],
  ['datasets', () => '#/datasets', /Datasets/],
  ['prompts', () => '#/prompts', /Prompts/],
  ['templates', () => '#/templates/hands-five-fingers', /Templates/],
  ['rewards', () => '#/rewards', /Rewards/],
  ['train', () => '#/train/fix-hands', /Train/],
  ['runs', () => '#/runs', /Runs/],
  ['run-live', () => `#/runs/${ids.running}`, /Hands/],
  ['run-finished', () => `#/runs/${ids.finished}`, /Ink/],
  ['run-failed', () => `#/runs/${ids.failed}`, /Large/],
  ['compare', () => `#/compare/${ids.finished},${ids.running}`, /Compare/],
  ['adapters', () => '#/adapters', /Adapters/],
  ['adapter', () => `#/adapters/${ids.adapter}`, /Ink|Five/],
  ['studio', () => '#/studio', /Studio/],
  ['repair', () => '#/studio/repair', /Studio/],
  ['settings', () => '#/settings', /Settings/],
]

interface Size extends Look {
  readonly name: string
}

const SCHEMES: readonly Size[] = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 840 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 840 },
]
const SIZES: readonly Size[] = [{ name: '1024' }, { name: 'zoom', zoom: 1.5 }]

/** What is wrong enough to keep someone out, as axe sees it. */
async function seriousFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

describe.each([...SCHEMES, ...SIZES])('in the look “$name”', ({ name: look, ...size }) => {
  let app: AppPage

  beforeAll(async () => {
    app = await openApp(browser, host, size)
  })

  afterAll(() => app.page.context().close())

  async function visit(hash: string, heading: RegExp): Promise<Page> {
    const { page } = app
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    await page.waitForTimeout(400)
    return page
  }

  it.each(PAGES)('%s is in order', async (name, hash, heading) => {
    const page = await visit(hash(), heading)
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${look}.png`) })
    expect(app.complaints).toEqual([])
    // Sideways there is nothing to scroll to, at any size.
    expect(await page.evaluate('const main = document.querySelector("main"); main.scrollWidth - main.clientWidth')).toBe(0)
    if (SCHEMES.some((scheme) => scheme.name === look)) expect(await seriousFaults(page)).toEqual([])
  })
})
