import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, type ElectronApplication, type Page } from 'playwright'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PATIENCE_MS } from '../e2e/app-page.ts'
import { findElectron } from './find-electron.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const SHORT = { 'Updates': 6, 'Prompts at a time': 2, 'Pictures per prompt': 2, 'Show pictures every': 2, 'Save every': 2 }

let folder: string
let app: ElectronApplication
let page: Page

async function open(): Promise<void> {
  const executablePath = findElectron()
  if (executablePath === undefined) throw new Error('Electron’s program is not on this machine: `npm run test:electron` says so.')
  // A profile and library of its own; root, as in containers, cannot use Chromium's sandbox.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  app = await _electron.launch({
    executablePath, cwd: ROOT, args: [...asRoot, `--user-data-dir=${join(folder, 'profile')}`, '.'],
    env: { ...process.env, HALFSTEP_HOME: join(folder, 'library') },
  })
  page = await app.firstWindow()
  page.setDefaultTimeout(PATIENCE_MS)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-electron-'))
  await open()
}, 3 * PATIENCE_MS)

afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true, force: true })
})

it('opens one sandboxed window with our own page, and no way out of it', async () => {
  expect(page.url()).toMatch(/^app:\/\/halfstep\//)
  const kinds = await page.evaluate('[typeof require, typeof process, typeof window.halfstep.call]')
  expect(kinds).toEqual(['undefined', 'undefined', 'function'])
  await page.evaluate('window.open("https://example.org/"); location.href = "https://example.org/"')
  await page.getByRole('navigation').waitFor()
  expect(page.url()).toMatch(/^app:\/\/halfstep\//)
  expect(app.windows()).toHaveLength(1)
})

it('trains the starter, is paused and closed, and goes on when opened again', { timeout: 10 * PATIENCE_MS }, async () => {
  await page.getByRole('link', { name: /Fix hands/ }).click()
  await page.getByText('This model brings everything along').waitFor()
  await page.getByRole('main').getByText('Advanced', { exact: true }).click()
  for (const [label, value] of Object.entries(SHORT)) await page.getByLabel(label, { exact: true }).fill(String(value))
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.getByRole('img', { name: 'Picture 1 before training' }).waitFor()
  await page.getByRole('main').getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('main').getByRole('button', { name: 'Continue' }).waitFor()
  await app.close()
  await open()
  await page.getByRole('main').getByRole('link', { name: 'Fix hands, Starter' }).first().click()
  await page.getByRole('main').getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('main').getByText('Finished', { exact: true }).waitFor({ timeout: 5 * PATIENCE_MS })
})
