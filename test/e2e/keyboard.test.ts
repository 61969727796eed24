import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices } from '../../main/services/services.ts'
import { type OpenApp, PATIENCE_MS, startApp } from './app-page.ts'
import { fillLibrary, type SampleIds, SCRIPTS } from './sample-library.ts'
import { scriptedEngine } from './scripted-engine.ts'

let app: OpenApp
let page: Page
let ids: SampleIds

beforeAll(async () => {
  const open = (folder: string) => openServices(scriptedEngine(SCRIPTS, engineIn(forkLauncher())), folder)
  app = await startApp(open, async (services) => {
    ids = await fillLibrary(services)
  })
  page = app.page
}, 3 * PATIENCE_MS)

afterAll(() => app.close())

/**
 * What a mouse can use and the Tab key did not reach, after going once around the page. In groups that are one stop, such as radio
 * buttons and toggles, arrow keys lead on from the one that is reached.
 */
async function unreached(page: Page): Promise<string[]> {
  await page.evaluate('document.activeElement.blur(); window.reached = new Set()')
  for (let press = 0; press < 400; press++) {
    await page.keyboard.press('Tab')
    const isBack = await page.evaluate(`{
      const seen = window.reached.has(document.activeElement)
      window.reached.add(document.activeElement)
      seen && document.activeElement !== document.body
    }`)
    if (isBack === true) break
  }
  const left: unknown = await page.evaluate(`{
    const usable = [...document.querySelectorAll('a[href], button, input, select, textarea, [role=slider], [role=switch]')]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled)
      .filter((element) => !element.closest('[inert], [aria-hidden=true]'))
      // The system's file chooser opens from a button, which is what must be reached.
      .filter((element) => element.type !== 'file')
    const group = (element) => element.closest('[role=radiogroup], [role=group], fieldset')
    const groups = new Set([...window.reached].map(group).filter(Boolean))
    usable.filter((element) => !window.reached.has(element) && !groups.has(group(element)))
      .map((element) => (element.getAttribute('aria-label') ?? element.textContent.trim()).slice(0, 80))
  }`)
  if (!Array.isArray(left)) throw new Error('The page gave no list.')
  return left.map(String)
}

describe('with the Tab key alone', { timeout: 2 * PATIENCE_MS }, () => {
  it.each<readonly [string, () => string]>([
    ['home', () => '#/'], ['models', () => '#/models'], ['datasets', () => '#/datasets'], ['prompts', () => '#/prompts'],
    ['templates', () => '#/templates/hands-five-fingers'], ['rewards', () => '#/rewards'], ['train', () => '#/train/fix-hands'],
    ['runs', () => '#/runs'], ['a run', () => `#/runs/${ids.running}`], ['adapters', () => '#/adapters'],
    ['an adapter', () => `#/adapters/${ids.adapter}`], ['studio', () => '#/studio'], ['repair', () => '#/studio/repair'],
    ['settings', () => '#/settings'],
  ])('everything on %s is reached', async (_, hash) => {
    await page.evaluate(`location.hash = ${JSON.stringify(hash())}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForTimeout(400)
    expect(await unreached(page)).toEqual([])
  })

  it('a button that the Tab key passes by is noticed', async () => {
    await page.evaluate(`{
      const button = document.createElement('button')
      button.textContent = 'By mouse alone'
      button.tabIndex = -1
      document.querySelector('main').append(button)
    }`)
    expect(await unreached(page)).toEqual(['By mouse alone'])
  })
})
