import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Locator, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import { MIGRATIONS } from '../../main/store/migrations/index.ts'
import { type OpenApp, PATIENCE_MS, startApp } from './app-page.ts'
import { drawHand } from './hand-drawing.ts'
import { scriptedEngine } from './scripted-engine.ts'

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'test-results', 'misfortune')
const GOLDEN = join(import.meta.dirname, '..', 'golden')
const HALFSTEP = join(import.meta.dirname, '..', '..', 'main', 'cli', 'halfstep.mjs')

/** Bytes of the disk that the library of these tests lies on. */
const DISK = 12 * 2 ** 20

let app: OpenApp
let folder: string
let disk: string
let services: Services
let page: Page

/** A small disk of its own; only an administrator can make one, so that elsewhere the test of a full disk is skipped. */
const MOUNTS = process.platform === 'linux' && process.getuid?.() === 0 && mountable()

function mountable(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'halfstep-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', place], { stdio: 'ignore' })
    execFileSync('umount', [place], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** What happens outside Halfstep while an artist works: whatever it is, the page says what, and what to do. */
beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  folder = mkdtempSync(join(tmpdir(), 'halfstep-misfortune-'))
  disk = join(folder, 'disk')
  mkdirSync(disk)
  if (MOUNTS) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'none', disk])
  const open = () => openServices(scriptedEngine({}, engineIn(forkLauncher())), join(disk, 'library'), join(folder, 'no-starter'))
  app = await startApp(open, async ({ devices }) => void await devices.probe())
  services = app.services
  page = app.page
}, 3 * PATIENCE_MS)

afterAll(async () => {
  await app.close()
  if (MOUNTS) execFileSync('umount', [disk])
  rmSync(folder, { recursive: true, force: true })
})

async function keep(name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}.png`), animations: 'disabled' })
  }
}

async function visit(hash: string, heading: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
}

const button = (name: string): Locator => page.getByRole('button', { name, exact: true })
const alert = (): Locator => page.getByRole('alert')

async function addModel(path: string): Promise<void> {
  await visit('#/models', 'Models')
  await button('Add model').first().click()
  await page.getByRole('textbox', { name: 'File or folder' }).fill(path)
  await page.keyboard.press('Enter')
}

/** Has the dialog for new pictures take these paths. */
async function addPictures(...paths: readonly string[]): Promise<void> {
  await button('Add pictures').first().click()
  await page.getByRole('textbox', { name: 'Files and folders' }).fill(paths.join('\n'))
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
}

/** A folder of drawings, each of a size of its own, so that no two are the same picture. */
async function pictureFolder(name: string, count: number, size: number): Promise<string> {
  const place = join(folder, name)
  mkdirSync(place)
  for (let i = 0; i < count; i++) writeFileSync(join(place, `study-${i}.png`), await drawHand({ fingers: 5, look: i }, size + i))
  return place
}

/** What `halfstep serve` says of a library that it cannot open. */
function serve(library: string): Promise<{ readonly code: unknown; readonly said: string }> {
  return new Promise((resolve) => {
    const given = [HALFSTEP, 'serve', '--no-open', '--library', library]
    execFile(process.execPath, given, { timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, said: `${stdout}${stderr}` })
    })
  })
}

describe('a person is told in a sentence', { timeout: 3 * PATIENCE_MS }, () => {
  it('that a file is no model, which file, and what was wrong with it', async () => {
    const wrong = join(folder, 'hands.safetensors')
    writeFileSync(wrong, 'this was a download that ended early')
    await addModel(wrong)
    await alert().getByText(wrong).waitFor()
    await keep('wrong-file')
    await button('Dismiss').click()
    expect(services.models.list()).toEqual([])
  })

  it('which pictures are broken, while the others are taken', async () => {
    const pictures = await pictureFolder('ink', 4, 320)
    const whole = readFileSync(join(pictures, 'study-0.png'))
    writeFileSync(join(pictures, 'study-1.png'), whole.subarray(0, whole.length / 2))
    writeFileSync(join(pictures, 'empty.png'), '')
    writeFileSync(join(pictures, 'letter.jpg'), 'Dear artist')
    await visit('#/datasets', 'Datasets')
    await button('New dataset').first().click()
    await addPictures(pictures)
    const left = page.getByRole('list', { name: 'Left out' }).getByRole('listitem')
    await left.first().waitFor()
    await page.getByText('3 pictures added').waitFor()
    // The button that was pressed is gone; another may not stand in for it.
    expect(await page.evaluate('document.activeElement.role')).toBe('dialog')
    const reasons = await left.allInnerTexts()
    await keep('broken-pictures')
    expect(reasons).toHaveLength(3)
    for (const name of ['study-1.png', 'empty.png', 'letter.jpg']) expect(reasons.join('\n')).toContain(name)
    await button('Close').first().click()
  })

  it('that a folder of pictures is gone', async () => {
    await visit('#/datasets', 'Datasets')
    const gone = join(folder, 'an unplugged disk', 'ink')
    await addPictures(gone)
    await page.getByRole('dialog').getByText(gone).and(page.locator(':not(textarea)')).first().waitFor()
    await keep('vanished-pictures')
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click()
  })

  it('that a model was moved, and finds it again where it is shown', async () => {
    const [before, after] = [join(folder, 'model'), join(folder, 'model, moved')]
    cpSync(join(GOLDEN, 'sd15-micro'), before, { recursive: true })
    await addModel(before)
    await page.getByRole('heading', { level: 2, name: 'model' }).waitFor()
    renameSync(before, after)
    await page.reload()
    await page.getByText('There is nothing at this place any more').waitFor()
    await keep('vanished-model')
    await button('Show where it is …').click()
    await page.getByRole('dialog').getByRole('textbox').fill(after)
    await page.keyboard.press('Enter')
    await page.getByText(after).waitFor()
    await page.getByText('There is nothing at this place any more').waitFor({ state: 'detached' })
  })

  it.skipIf(!MOUNTS)('that the disk is full; what was there is safe, and with room it goes on', async () => {
    const pictures = await pictureFolder('gouache', 6, 400)
    const filler = join(disk, 'a film')
    fill(filler)
    await visit('#/datasets', 'Datasets')
    const images = () => services.datasets.list().map(({ images }) => images)
    const before = images()
    await addPictures(pictures)
    await page.getByRole('dialog').getByText(/the disk is full/i).first().waitFor()
    await keep('full-disk')
    expect(images()).toEqual(before)
    rmSync(filler)
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click()
    await expect.poll(images, { timeout: PATIENCE_MS }).toEqual([before[0]! + 6])
  })

  it('that another Halfstep has the library', async () => {
    const { code, said } = await serve(services.app.libraryFolder)
    writeFileSync(join(SCREENSHOTS, 'second-instance.txt'), said)
    expect(code).toBe(1)
    expect(said).toContain('This library is open in another Halfstep.')
  })

  it('that a newer Halfstep wrote the library, which stays as it was', async () => {
    const library = join(folder, 'newer')
    openServices(scriptedEngine(), library, join(folder, 'no-starter')).close()
    const file = join(library, 'library.sqlite')
    const database = new Database(file)
    database.pragma(`user_version = ${MIGRATIONS.length + 1}`)
    database.close()
    const before = readFileSync(file)
    const { code, said } = await serve(library)
    writeFileSync(join(SCREENSHOTS, 'newer-database.txt'), said)
    expect(code).toBe(1)
    expect(said).toContain('was written by a newer Halfstep')
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})

/** Takes what room is left on the disk. */
function fill(path: string): void {
  for (let bytes = DISK; bytes >= 512; bytes /= 2) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes, 1), { flag: 'a' })
    } catch {
      // No more of this size.
    }
  }
}
