import { AxeBuilder } from '@axe-core/playwright'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import type { LocalHost } from '../../main/host/local.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import { columns, writeDetector } from '../unit/detection/example-detector.ts'
import { type AppPage, openApp, serveApp, startBrowser } from './app-page.ts'
import { drawHand } from './hand-drawing.ts'
import { ENDLESS_STEPS, scriptedEngine } from './scripted-engine.ts'

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'test-results', 'repair')
const GOLDEN = join(import.meta.dirname, '..', 'golden')

let browser: Browser
let folder: string
let services: Services
let host: LocalHost
let app: AppPage
let page: Page

/** A picture with a bad hand is opened, marked, repaired and kept; each step goes on where the one before ended. */
beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  folder = mkdtempSync(join(tmpdir(), 'halfstep-repair-'))
  browser = await startBrowser()
  services = openServices(scriptedEngine({}, engineIn(forkLauncher())), join(folder, 'library'))
  services.start()
  await services.devices.probe()
  await services.tasks.run(undefined, 'Reading a model', (task) => services.models.add(join(GOLDEN, 'sd15-micro'), task))
  host = await serveApp(services)
  app = await openApp(browser, host)
  page = app.page
  await page.evaluate('location.hash = "#/studio"')
  await page.getByRole('navigation', { name: 'Studio' }).getByRole('link', { name: 'Repair' }).click()
  await page.getByText('Drop a picture here').waitFor()
})

afterAll(async () => {
  await browser.close()
  await host.close()
  services.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Keeps what the page looks like at this moment, in both colours. */
async function keep(name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}.png`), animations: 'disabled' })
  }
  expect(await page.evaluate('const main = document.querySelector("main"); main.scrollWidth - main.clientWidth')).toBe(0)
}

/** What would keep someone out, in both colours. */
async function seriousFaults(): Promise<string[]> {
  const found: string[] = []
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await new AxeBuilder({ page }).analyze()
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    found.push(...serious.map(({ id, nodes }) => `${colorScheme}, ${id}: ${nodes.map(({ html }) => html).join(' ')}`))
  }
  return found
}

const button = (name: string | RegExp): Locator => page.getByRole('main').getByRole('button', { name, exact: typeof name === 'string' })
const repairButton = (): Locator => page.locator('form').getByRole('button', { name: 'Repair', exact: true })
const canvas = (): Locator => page.locator('main canvas')
const variants = (): Locator => page.getByRole('list', { name: 'Variants' }).getByRole('button', { name: /^Variant/ })

/** The share of the mask that is painted, as its canvas has it: read from a copy, so that looking changes nothing about painting. */
function painted(): Promise<number> {
  return page.evaluate(`(() => {
    const mask = document.querySelector('main canvas')
    const copy = Object.assign(document.createElement('canvas'), { width: mask.width, height: mask.height })
    const context = copy.getContext('2d', { willReadFrequently: true })
    context.drawImage(mask, 0, 0)
    const { data } = context.getImageData(0, 0, mask.width, mask.height)
    return data.filter((value, i) => i % 4 === 3 && value > 127).length / (mask.width * mask.height)
  })()`)
}

/** Draws a line over the picture; positions are shares of its sides. */
async function stroke(points: readonly (readonly [x: number, y: number])[], pressed: 'left' | 'right' = 'left'): Promise<void> {
  await canvas().scrollIntoViewIfNeeded()
  const box = await canvas().boundingBox()
  if (box === null) throw new Error('The mask is not to be seen.')
  const [first, ...rest] = points.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height] as const)
  await page.mouse.move(...first!)
  await page.mouse.down({ button: pressed })
  for (const point of rest) await page.mouse.move(...point, { steps: 4 })
  await page.mouse.up({ button: pressed })
}

async function drop(name: string, bytes: Buffer): Promise<void> {
  const dataTransfer = await page.evaluateHandle(`(() => {
    const transfer = new DataTransfer()
    const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (letter) => letter.charCodeAt(0))
    transfer.items.add(new File([bytes], '${name}', { type: 'image/png' }))
    return transfer
  })()`)
  await page.getByRole('group', { name: 'Picture to repair' }).dispatchEvent('drop', { dataTransfer })
}

describe('repairing a picture', { timeout: 240_000 }, () => {
  it('takes a picture that is dropped, and refuses what is none in a sentence', async () => {
    await keep('choose')
    expect(await repairButton().isDisabled()).toBe(true)
    await drop('notes.png', Buffer.from('These are notes.'))
    await page.getByRole('alert').getByText('notes.png is neither a PNG, nor a JPEG, nor a WebP picture.').waitFor()
    await drop('portrait.png', await drawHand({ fingers: 7, look: 0 }, 512))
    await page.getByRole('img', { name: 'portrait.png, the picture to repair' }).waitFor()
    await expect.poll(() => repairButton().isDisabled()).toBe(true)
    await page.getByText('Paint over what is to be drawn anew.').waitFor()
  })

  it('is painted with a brush that can be undone, erased, inverted and cleared', async () => {
    await stroke([[0.3, 0.3], [0.6, 0.35]])
    await expect.poll(painted).toBeGreaterThan(0.01)
    const once = await painted()
    await stroke([[0.3, 0.5], [0.6, 0.55]])
    await expect.poll(painted).toBeGreaterThan(1.5 * once)
    await page.keyboard.press('Control+z')
    await expect.poll(painted).toBeCloseTo(once, 3)
    await page.keyboard.press('Control+Shift+z')
    await expect.poll(painted).toBeGreaterThan(1.5 * once)
    await stroke([[0.25, 0.5], [0.65, 0.55]], 'right')
    await expect.poll(painted).toBeLessThan(1.2 * once)
    const before = await painted()
    await button('Invert the mask').click()
    await expect.poll(painted).toBeCloseTo(1 - before, 2)
    await button('Clear the mask').click()
    await expect.poll(painted).toBe(0)
    expect(await repairButton().isDisabled()).toBe(true)
  })

  it('has a brush that grows and shrinks by keys, and tools by letters', async () => {
    const size = page.getByRole('slider', { name: 'Brush size' })
    const before = Number(await size.inputValue())
    await page.keyboard.press(']')
    await expect.poll(async () => Number(await size.inputValue())).toBeGreaterThan(before)
    await page.keyboard.press('[')
    await expect.poll(async () => Number(await size.inputValue())).toBe(before)
    await page.keyboard.press('e')
    await expect.poll(() => button('Eraser').getAttribute('aria-pressed')).toBe('true')
    await page.keyboard.press('r')
    await stroke([[0.2, 0.2], [0.45, 0.45]])
    await expect.poll(painted).toBeCloseTo(0.0625, 2)
    await page.keyboard.press('b')
    await page.keyboard.press('Control+z')
    await expect.poll(painted).toBe(0)
    // Letters typed into a field are not for the tools.
    await page.getByLabel('Prompt').fill('')
    await page.getByLabel('Prompt').press('e')
    expect(await button('Brush').getAttribute('aria-pressed')).toBe('true')
  })

  it('can be marked without a mouse', async () => {
    await page.locator('summary', { hasText: 'Mark a rectangle by numbers' }).focus()
    await page.keyboard.press('Enter')
    for (const [name, value] of [['Left', '128'], ['Top', '64'], ['Width', '256'], ['Height', '128']] as const) {
      await page.getByRole('spinbutton', { name }).fill(value)
    }
    await button('Mark it').focus()
    await page.keyboard.press('Enter')
    await expect.poll(painted).toBeCloseTo(0.125, 2)
    await button('Take it out').press('Enter')
    await expect.poll(painted).toBe(0)
  })

  it('is told where hands are by a detector of one’s own, and why a wrong file is none', async () => {
    await page.getByText('Find hands', { exact: true }).click()
    await page.getByLabel('Detector', { exact: true }).fill(join(GOLDEN, 'onnx', 'resnet.onnx'))
    await button('Find').click()
    await page.getByRole('alert').getByText('cannot be used as a detector').waitFor({ timeout: 120_000 })
    const boxes = columns([[32, 30, 44, 50, 0.87], [10, 10, 8, 8, 0.41]])
    await page.getByLabel('Detector', { exact: true }).fill(writeDetector(join(folder, 'hands.onnx'), { ...boxes, names: "{0: 'hand'}" }))
    await button('Find').click()
    await page.getByRole('list', { name: 'Found' }).getByRole('button').first().waitFor({ timeout: 120_000 })
    const chips = page.getByRole('list', { name: 'Found' }).getByRole('button')
    expect(await chips.allInnerTexts()).toEqual(['Hand 1 87 %', 'Hand 2 41 %'])
    await chips.first().click()
    await expect.poll(() => chips.first().getAttribute('aria-pressed')).toBe('true')
    await expect.poll(painted).toBeGreaterThan(0.5)
    await chips.first().click()
    await expect.poll(painted).toBe(0)
    await chips.first().click()
    await keep('marked')
    expect(await seriousFaults()).toEqual([])
  })

  it('is drawn anew in variants, beside the picture as it was', async () => {
    await page.getByLabel('Prompt').fill('an open hand, five fingers')
    await repairButton().click()
    await expect.poll(() => variants().count(), { timeout: 120_000 }).toBe(4)
    await button('Keep this one').waitFor()
    const slider = page.getByRole('slider', { name: 'How much of before is shown' })
    await slider.press('ArrowRight')
    await keep('variants')
    expect(await seriousFaults()).toEqual([])
    await variants().nth(2).press('Enter')
    await page.getByRole('img', { name: 'an open hand, five fingers, repaired' }).waitFor()
    const [generation] = services.studio.list(0, 1).generations
    expect(generation).toMatchObject({ recipe: { strength: 0.75, feather: 8 } })
    expect(generation?.source?.url).toContain('/library/pictures/')
  })

  it('changes nothing outside the mask in what the page hands over', async () => {
    const { generations: [generation] } = services.studio.list(0, 1)
    const read = (url: string): Promise<Buffer> =>
      sharp(join(services.app.libraryFolder, url.replace('/library/', ''))).removeAlpha().raw().toBuffer()
    const [before, after] = [await read(generation!.source!.url), await read(generation!.url)]
    // The box begins 48 pixels from the left.
    for (let row = 0; row < 512; row++) {
      const [start, end] = [row * 512 * 3, (row * 512 + 32) * 3]
      expect(after.compare(before, start, end, start, end)).toBe(0)
    }
    expect(after.equals(before)).toBe(false)
  })

  it('keeps the best, saves it as a file, and goes on from it', async () => {
    await variants().nth(1).click()
    await button('Keep this one').click()
    await expect.poll(() => variants().count()).toBe(1)
    expect(services.studio.list(0, 10).total).toBe(1)
    const [download] = await Promise.all([page.waitForEvent('download'), button('Save PNG').click()])
    expect(download.suggestedFilename()).toMatch(/^halfstep-repair-\d+\.png$/)
    await button('Repair this one further').click()
    await page.getByRole('img', { name: 'an open hand, five fingers, the picture to repair' }).waitFor()
    await expect.poll(painted).toBe(0)
  })

  it('is stopped when it takes too long, and keeps what was drawn until then', async () => {
    await stroke([[0.4, 0.4], [0.5, 0.5]])
    await page.getByText('More', { exact: true }).click()
    await page.getByRole('slider', { name: 'Steps' }).fill(String(ENDLESS_STEPS))
    await repairButton().click()
    await expect.poll(() => variants().count(), { timeout: 120_000 }).toBe(1)
    await page.getByRole('progressbar', { name: /^Repairing/ }).waitFor()
    await keep('repairing')
    await page.locator('form').getByRole('button', { name: 'Stop' }).click()
    await repairButton().waitFor()
    expect(await variants().count()).toBe(1)
    expect(await page.getByRole('alert').count()).toBe(0)
    expect(services.studio.list(0, 10).total).toBe(2)
  })

  it('begins from a picture that was drawn before, and shows repairs with what they were', async () => {
    await page.getByRole('navigation', { name: 'Studio' }).getByRole('link', { name: 'Draw' }).click()
    await page.getByRole('button', { name: /an open hand/ }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('slider', { name: 'How much of before is shown' }).waitFor()
    await keep('history')
    await dialog.getByRole('button', { name: 'Repair' }).click()
    await page.getByRole('img', { name: 'an open hand, five fingers, the picture to repair' }).waitFor()
    expect(await page.getByLabel('Prompt').inputValue()).toBe('an open hand, five fingers')
    expect(app.complaints).toEqual([])
  })
})
