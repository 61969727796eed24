import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import type { LocalHost } from '../../main/host/local.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import { openApp, PATIENCE_MS, serveApp, startBrowser } from './app-page.ts'
import { CPU } from './scripted-engine.ts'

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'test-results', 'starter-story')

/** A run that shows everything a long one does, in a minute. */
const SHORT = { 'Updates': 8, 'Prompts at a time': 2, 'Pictures per prompt': 2, 'Show pictures every': 2, 'Save every': 2 }

let browser: Browser
let folder: string
let services: Services
let host: LocalHost
let page: Page
let complaints: readonly string[]

/** Halfstep as it is: the model that comes with it, the engine in its own process, pages in a browser. Only the probing is left out. */
async function open(): Promise<void> {
  services = openServices({ ...engineIn(forkLauncher()), probeDevices: async () => [CPU] }, folder)
  services.start()
  host = await serveApp(services)
  const app = await openApp(browser, host, { width: 1280, height: 840 })
  page = app.page
  complaints = app.complaints
}

async function close(): Promise<void> {
  await page.context().close()
  await host.close()
  services.close()
}

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  folder = mkdtempSync(join(tmpdir(), 'halfstep-starter-'))
  browser = await startBrowser()
  await open()
}, 3 * PATIENCE_MS)

afterAll(async () => {
  await close()
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
})

async function keep(name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}.png`), animations: 'disabled' })
  }
}

const main = (): Locator => page.getByRole('main')
const run = () => services.runs.list()[0]

describe('the story of the starter', { timeout: 4 * PATIENCE_MS }, () => {
  it('begins on Home, with the model that comes with Halfstep and a way to mend its hands', async () => {
    await page.getByText('Working on AMD Ryzen').waitFor()
    await expect.poll(() => services.models.list().map(({ name, builtIn }) => [name, builtIn])).toEqual([['Starter', true]])
    await keep('first-start')
    await page.getByRole('link', { name: /Fix hands/ }).click()
    await page.getByText('This model brings everything along').waitFor()
    expect(page.url()).toContain('#/train/fix-hands')
  })

  it('trains, and shows pictures and curves while it does', async () => {
    await main().getByText('Advanced', { exact: true }).click()
    for (const [label, value] of Object.entries(SHORT)) await page.getByLabel(label, { exact: true }).fill(String(value))
    await keep('train')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Fix hands, Starter' }).waitFor()
    await page.getByRole('img', { name: 'Picture 1 before training' }).waitFor()
    await page.getByRole('img', { name: 'Reward by update', exact: true }).waitFor()
    await page.getByText('Its memory').waitFor()
    await expect.poll(() => run()?.update).toBeGreaterThanOrEqual(2)
    await keep('training')
  })

  it('counts the fingers in its pictures with a judge of its own', async () => {
    await main().getByRole('status').getByText(/^\d of \d+ before training, \d of \d+ after update \d$/).waitFor()
    await main().getByRole('img', { name: 'Five fingers by update' }).waitFor()
  })

  it('takes another weight for a part of its reward while it goes on', async () => {
    await main().getByRole('spinbutton', { name: 'variety' }).fill('1.5')
    await main().getByRole('button', { name: 'Use from the next update on' }).click()
    await main().getByText('The weight of variety is 1.5 from now on.').waitFor()
    expect(await main().getByRole('button', { name: 'Use from the next update on' }).isDisabled()).toBe(true)
  })

  it('is paused, closed, opened again and goes on where it was', async () => {
    await main().getByRole('button', { name: 'Pause' }).click()
    await main().getByRole('button', { name: 'Continue' }).waitFor()
    const before = run()
    expect(before?.state).toBe('paused')
    await close()
    await open()
    await page.getByRole('heading', { level: 2, name: 'Not finished yet' }).waitFor()
    await keep('reopened')
    await main().getByRole('link', { name: 'Fix hands, Starter' }).first().click()
    await main().getByRole('button', { name: 'Continue' }).click()
    await main().getByText('Finished', { exact: true }).waitFor({ timeout: 3 * PATIENCE_MS })
    const { metrics, log, summary } = services.runs.get(before!.id, 100)
    expect(metrics.update).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(log.map(({ message }) => message)).toContain(`The run goes on from update ${before!.update}.`)
    expect(summary.adapterId).not.toBeNull()
    await keep('finished')
  })

  it('draws before and after from the same noise', async () => {
    await page.keyboard.press('g')
    await page.keyboard.press('a')
    await main().getByRole('link', { name: /Fix hands, Starter/ }).click()
    await main().getByRole('button', { name: 'Try in Studio' }).click()
    await page.getByLabel('Prompt').fill('a hand')
    await main().getByRole('button', { name: 'Draw', exact: true }).click()
    const pairs = page.getByRole('list', { name: 'Pictures of this time' }).getByRole('slider')
    await expect.poll(() => pairs.count(), { timeout: 2 * PATIENCE_MS }).toBe(4)
    await keep('before-and-after')
    expect(services.studio.list(0, 100).total).toBe(8)
  })

  it('shows a template on the way from noise to picture, on the starter', async () => {
    await page.evaluate('location.hash = "#/templates/starter-hand"')
    await page.getByLabel('Your prompt').fill('a left hand, palm open, tan skin, blue background')
    await main().getByRole('button', { name: 'Draw a preview' }).click()
    const pictures = main().getByRole('img', { name: /of the way$/ })
    await expect.poll(() => pictures.count(), { timeout: PATIENCE_MS }).toBe(9)
    await main().getByRole('button', { name: 'Draw a preview' }).waitFor()
    const places = (await Promise.all((await pictures.all()).map((one) => one.boundingBox()))).map((box) => box!.x)
    expect(places).toEqual([...places].sort((a, b) => a - b))
    await keep('template')
  })

  it('exports the adapter for other programs', async () => {
    await page.evaluate(`location.hash = '#/adapters/${run()?.adapterId ?? ''}'`)
    await keep('adapter')
    for (const [button, key] of [['For ComfyUI and A1111', 'lora_unet_'], ['For diffusers', '.lora_A.weight']] as const) {
      const [download] = await Promise.all([page.waitForEvent('download'), main().getByRole('button', { name: button }).click()])
      const path = join(folder, 'download.safetensors')
      await download.saveAs(path)
      const bytes = readFileSync(path)
      const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString('utf8')
      expect([button, Object.keys(JSON.parse(header) as object).some((name) => name.includes(key))]).toEqual([button, true])
    }
  })

  it('repairs a picture with it', async () => {
    await page.evaluate('location.hash = "#/studio"')
    await main().getByRole('button', { name: /a hand/ }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Repair' }).click()
    await page.getByRole('img', { name: /the picture to repair/ }).waitFor()
    const box = await page.locator('main canvas').boundingBox()
    await page.mouse.move(box!.x + 0.3 * box!.width, box!.y + 0.3 * box!.height)
    await page.mouse.down()
    await page.mouse.move(box!.x + 0.6 * box!.width, box!.y + 0.5 * box!.height, { steps: 6 })
    await page.mouse.up()
    await page.locator('form').getByRole('button', { name: 'Repair', exact: true }).click()
    const variants = page.getByRole('list', { name: 'Variants' }).getByRole('button', { name: /^Variant/ })
    await variants.nth(3).waitFor({ timeout: 2 * PATIENCE_MS })
    await main().getByRole('button', { name: 'Keep this one' }).click()
    await keep('repaired')
    const [repaired] = services.studio.list(0, 1).generations
    expect(repaired?.source?.url).toMatch(/^\/library\/pictures\//)
    expect(existsSync(join(folder, repaired!.url.replace('/library/', '')))).toBe(true)
  })

  it('trains the same again from its recipe', async () => {
    const first = run()!
    await page.evaluate(`location.hash = '#/runs/${first.id}'`)
    await main().getByRole('button', { name: /^More for/ }).click()
    await page.getByRole('menuitem', { name: 'Train the same again' }).click()
    await page.getByRole('heading', { level: 1, name: 'Fix hands, Starter, again' }).waitFor()
    await main().getByRole('button', { name: 'Pause' }).click()
    await main().getByRole('button', { name: 'Continue' }).waitFor()
    const [again] = services.runs.list()
    expect(services.runs.get(again!.id, 1).recipe).toEqual(services.runs.get(first.id, 1).recipe)
    await page.evaluate(`location.hash = '#/compare/${first.id},${again!.id}'`)
    await main().getByText('Five fingers, by the judge').first().waitFor()
    await main().getByText('these runs have the same recipe').waitFor()
    expect(complaints).toEqual([])
  })
})
