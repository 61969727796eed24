import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices } from '../../main/services/services.ts'
import { type OpenApp, PATIENCE_MS, startApp } from './app-page.ts'
import { scriptedEngine } from './scripted-engine.ts'

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'test-results', 'story')
const GOLDEN = join(import.meta.dirname, '..', 'golden')

let app: OpenApp
let page: Page

/** What an artist does with Halfstep, from an empty library to a picture; each step goes on where the one before ended. */
beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  // Recipes drafted in the app have seed 0: their runs take a moment for each update, so that there is something to watch, and wait
  // half way until they are paused, so that none ends before, however long that takes.
  // The model that comes with Halfstep has a story of its own.
  const engine = scriptedEngine({ 0: { pace: 60, holdAt: 20 } }, engineIn(forkLauncher()))
  app = await startApp((folder) => openServices(engine, folder, join(folder, 'no-starter')))
  page = app.page
}, 3 * PATIENCE_MS)

afterAll(() => app.close())

/** Keeps what the page looks like at this moment. */
const keep = (name: string) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' })

const go = (keys: readonly string[]) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve())

describe('the story of a model', { timeout: 3 * PATIENCE_MS }, () => {
  it('begins with a model, named by its path, and says precisely why a wrong one is refused', async () => {
    await page.getByText('Working on AMD Radeon').waitFor()
    await keep('first-start')
    await go(['g', 'm'])
    await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor()
    await keep('no-models')
    await page.getByRole('button', { name: 'Add model' }).click()
    await keep('add-model')
    await page.getByRole('textbox', { name: 'File or folder' }).fill('"/no/such/model.safetensors"')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('/no/such/model.safetensors').waitFor()
    await keep('refused-model')
    await page.getByRole('button', { name: 'Dismiss' }).click()

    await page.getByRole('button', { name: 'Add model' }).click()
    await page.getByRole('textbox', { name: 'File or folder' }).fill(join(GOLDEN, 'sd15-micro'))
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 2, name: 'sd15-micro' }).waitFor()
    await page.getByText('Stable Diffusion 1 · full precision').waitFor()
  })

  it('sets up a reward of one’s own', async () => {
    await go(['g', 'w'])
    await page.getByRole('link', { name: 'New reward' }).click()
    await page.getByLabel('Name').fill('Five fingers')
    await page.getByRole('textbox', { name: 'ONNX file' }).fill(join(GOLDEN, 'onnx', 'resnet.onnx'))
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('link', { name: /Five fingers/ }).waitFor()
  })

  it('trains towards it, and is watched, paused and continued', async () => {
    await page.evaluate('location.hash = "#/train/fix-hands"')
    await page.getByText('Quick', { exact: true }).click()
    await page.getByRole('button', { name: 'Measure first' }).click()
    await page.getByText('about 22 min').waitFor()
    await keep('measured')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Fix hands, sd15-micro' }).waitFor()
    await page.getByRole('img', { name: 'Picture 1 before training' }).waitFor()
    await expect.poll(() => page.getByRole('img', { name: 'Reward by update', exact: true }).count()).toBe(1)

    await page.getByRole('main').getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('main').getByRole('button', { name: 'Continue' }).waitFor()
    await keep('paused')
    expect(app.services.runs.list()[0]).toMatchObject({ state: 'paused', wish: null })
    await page.reload()
    await page.getByRole('main').getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('main').getByText('Finished').waitFor()
    await page.getByRole('slider', { name: 'Through time' }).press('Home')
    await page.getByRole('img', { name: 'Picture 1 before training' }).waitFor()
  })

  it('draws with the adapter, beside what the model draws without it', async () => {
    await go(['g', 'a'])
    await page.getByRole('link', { name: /Fix hands, sd15-micro/ }).click()
    await page.getByRole('button', { name: 'Try in Studio' }).click()
    await page.getByLabel('Prompt').fill('an open hand')
    await page.getByRole('button', { name: 'Draw' }).click()
    const pairs = page.getByRole('list', { name: 'Pictures of this time' }).getByRole('slider')
    await expect.poll(() => pairs.count()).toBe(4)
    await keep('before-and-after')
    expect(app.services.studio.list(0, 100).total).toBe(8)
    await pairs.first().press('ArrowRight')
  })

  it('removes something and takes it back', async () => {
    await go(['Escape'])
    await page.evaluate('document.activeElement.blur()')
    await go(['g', 'm'])
    await page.getByRole('button', { name: 'More for sd15-micro' }).click()
    await page.getByRole('menuitem', { name: 'Remove from library' }).click()
    await page.getByText('No models yet').waitFor()
    await keep('undo')
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByRole('heading', { level: 2, name: 'sd15-micro' }).waitFor()
  })

  it('keeps the chosen colours over a reload', async () => {
    await go(['g', ','])
    await page.getByText('Dark', { exact: true }).click()
    await expect.poll(() => app.services.settings.get().theme).toBe('dark')
    await page.reload()
    await expect.poll(() => page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
  })

  it('says so when Halfstep ends, and lists its keys when asked', async () => {
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).getByText('Studio').waitFor()
    await keep('keyboard')
    await page.keyboard.press('Escape')
    await app.host.close()
    await page.getByRole('alert').getByText('Halfstep no longer answers.').waitFor()
  })
})
