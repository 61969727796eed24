/**
 * `npm run docs:pictures`: the pictures in docs, taken of the app at work in Chromium: a run that teaches the starter, its adapter in
 * the Studio, a repair, and a template on the way from noise to picture. Takes some minutes, most of them the run's.
 *
 *     npm run docs:pictures -- [--only training,before-and-after,repair,template] [--updates 60]
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Locator, Page } from 'playwright'
import { judgePicture } from '../../main/engine/judge/judge-picture.ts'
import { readJudged } from '../../main/engine/judge/read-judged.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import { startApp, type OpenApp } from './app-page.ts'
import { watchedEngine } from './starter-run.ts'

const PICTURES = join(import.meta.dirname, '..', '..', 'docs', 'pictures')
const PROMPT = 'a left hand, palm open, tan skin, blue background'
/** Of the recorded run, which comes with Halfstep. */
const ADAPTER = 'Five fingers, recorded'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'training,before-and-after,repair,template' },
    /** Of the run's ninety, when its picture is taken. */
    updates: { type: 'string', default: '60' },
  },
})

/** Of the window, in CSS pixels: a run's page has more to show than the others, down to the judge's count. */
const [WIDTH, HEIGHT, HEIGHT_OF_A_RUN] = [1280, 840, 1240]

const TAKE = { training, 'before-and-after': beforeAndAfter, repair, template } as const

const app = await startApp((folder) => openServices(watchedEngine().engine, folder), untilAdapter)
try {
  for (const [name, take] of Object.entries(TAKE)) {
    if (!options.only.split(',').includes(name)) continue
    await app.page.setViewportSize({ width: WIDTH, height: take === training ? HEIGHT_OF_A_RUN : HEIGHT })
    await take(app)
    const path = join(PICTURES, `${name}.png`)
    await app.page.evaluate('document.querySelector("main").scrollTop = 0')
    await app.page.screenshot({ path, animations: 'disabled' })
    console.log(path)
  }
} finally {
  await app.close()
}

/** The starter and what comes with it are put into a new library in the background. */
async function untilAdapter(services: Services): Promise<void> {
  while (!services.adapters.list().some(({ name }) => name === ADAPTER)) await new Promise((resolve) => setTimeout(resolve, 100))
}

/** Most of the way through the quick run, as it shows on its page. It is paused afterwards. */
async function training({ page, services }: OpenApp): Promise<void> {
  const model = services.models.list().find(({ builtIn }) => builtIn)!
  const draft = await services.training.draft({ goal: 'fix-hands', modelId: model.id, effort: 'quick' })
  const { id } = await services.training.start({ name: 'Fix hands, Starter', goal: 'fix-hands', recipe: draft })
  await go(page, `/runs/${id}`)
  while (services.runs.get(id, 1).summary.update < Number(options.updates)) await page.waitForTimeout(500)
}

/** Four pictures as they come, without the adapter and with it. */
async function beforeAndAfter({ page, services }: OpenApp): Promise<void> {
  for (const { id, state } of services.runs.list()) if (state === 'running') services.runs.pause(id)
  await go(page, '/adapters')
  await main(page).getByRole('link', { name: ADAPTER }).click()
  await main(page).getByRole('button', { name: 'Try in Studio' }).click()
  await page.getByLabel('Prompt').fill(PROMPT)
  await page.getByLabel('Seed', { exact: true }).fill('7')
  await page.getByRole('button', { name: 'Keep this seed' }).click()
  await main(page).getByRole('button', { name: 'Draw', exact: true }).click()
  const pairs = page.getByRole('list', { name: 'Pictures of this time' }).getByRole('slider')
  await pairs.nth(3).waitFor()
  await main(page).getByRole('button', { name: 'Draw', exact: true }).waitFor()
}

/** A picture whose hand has six fingers, painted over, and the first variant that has five. */
async function repair({ page, services, folder }: OpenApp): Promise<void> {
  const drawn = services.studio.list(0, 100).generations
  const fingers = await Promise.all(drawn.map(({ url }) => fingersIn(folder, url)))
  if (!fingers.includes(6)) throw new Error(`No picture has six fingers, but ${fingers.join(', ')}: take before-and-after anew.`)
  await go(page, '/studio/repair')
  await main(page).getByRole('button', { name: `Repair ${PROMPT}` }).nth(fingers.indexOf(6)).click()
  await page.getByRole('img', { name: /the picture to repair/ }).waitFor()
  await page.getByLabel('Adapter', { exact: true }).click()
  await page.getByRole('option', { name: ADAPTER }).click()
  await paintOver(page, 0.05, 0.95, 0.05, 0.75)
  await page.locator('form').getByRole('button', { name: 'Repair', exact: true }).click()
  const variants = page.getByRole('list', { name: 'Variants' }).getByRole('button', { name: /^Variant/ })
  await variants.nth(3).waitFor()
  const made = services.studio.list(0, 4).generations.toSorted((a, b) => a.position - b.position)
  const mended = (await Promise.all(made.map(({ url }) => fingersIn(folder, url)))).indexOf(5)
  await variants.nth(Math.max(0, mended)).click()
  await main(page).getByRole('slider', { name: 'How much of before is shown' }).fill('15')
}

/** What the starter takes its picture for along the chain of its own template. */
async function template({ page }: OpenApp): Promise<void> {
  await go(page, '/templates/starter-hand')
  await page.getByLabel('Your prompt').fill(PROMPT)
  await main(page).getByRole('button', { name: 'Draw a preview' }).click()
  await main(page).getByRole('img', { name: /of the way$/ }).nth(8).waitFor()
  await main(page).getByRole('button', { name: 'Draw a preview' }).waitFor()
}

function main(page: Page): Locator {
  return page.getByRole('main')
}

async function go(page: Page, address: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#${address}`)}`)
}

/** Rows of strokes over a part of the picture, in shares of its sides. */
async function paintOver(page: Page, left: number, right: number, top: number, bottom: number): Promise<void> {
  const box = (await page.locator('main canvas').boundingBox())!
  const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height]
  for (let y = top; y <= bottom; y += 0.05) {
    await page.mouse.move(...at(left, y))
    await page.mouse.down()
    await page.mouse.move(...at(right, y), { steps: 8 })
    await page.mouse.up()
  }
}

async function fingersIn(folder: string, url: string): Promise<number | null> {
  const { fingers, wellFormed } = judgePicture(await readJudged(join(folder, url.replace('/library/', ''))))
  return wellFormed ? fingers : null
}
