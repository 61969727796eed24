import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright'
import { answerPage } from '../../main/host/pages.ts'
import { APP_ORIGIN } from '../../main/host/security.ts'
import { type Broadcast, createHandlers } from '../../main/ipc/handlers.ts'
import { createRouter, type Router } from '../../main/ipc/router.ts'
import type { Services } from '../../main/services/services.ts'
import { findBrowser, HOW_TO_GET_A_BROWSER } from './browser.ts'

const OUT = join(import.meta.dirname, '..', '..', 'out')

/** A secure address of our own, answered by the test and never by the network. */
const ORIGIN = 'https://halfstep.test'

/** The built page in a real browser, over the real preload script, router and services. */
export interface AppPage {
  readonly page: Page
  /** What the page wrote to its console as warnings and errors, and every address it asked for elsewhere. */
  readonly complaints: readonly string[]
}

export async function startBrowser(): Promise<Browser> {
  const executablePath = findBrowser()
  if (executablePath === undefined) throw new Error(`The browser tests need a browser. ${HOW_TO_GET_A_BROWSER}`)
  // Root, as in containers, cannot use Chromium's own sandbox.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] })
}

/** Opens the built page in a fresh profile. Files and headers come from the code that answers `app:` addresses in Electron. */
export async function openApp(browser: Browser, services: Services, colorScheme: 'light' | 'dark' = 'light'): Promise<AppPage> {
  const context = await browser.newContext({ viewport: { width: 1024, height: 700 }, colorScheme, locale: 'en-GB' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['warning', 'error'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.route('**', async (route) => {
    const address = route.request().url()
    if (!address.startsWith(`${ORIGIN}/`)) {
      complaints.push(`asked for ${address}`)
      return route.abort()
    }
    const answer = await answerPage(route.request().method(), address.replace(ORIGIN, APP_ORIGIN), join(OUT, 'renderer'))
    await route.fulfill({
      status: answer.status, headers: Object.fromEntries(answer.headers), body: Buffer.from(await answer.arrayBuffer()),
    })
  })
  await connect(page, createRouter(createHandlers(services, broadcastFrom(browser))))
  await page.goto(`${ORIGIN}/`)
  return { page, complaints }
}

/** Tells every page that is open, as Electron's host tells every window. */
const broadcastFrom = (browser: Browser): Broadcast => (name, payload) => {
  const event = `window.dispatchEvent(new CustomEvent('event:${name}', { detail: ${JSON.stringify(payload)} }))`
  for (const page of browser.contexts().flatMap((context) => context.pages())) void page.evaluate(event)
}

/** Runs the built preload script in the page, over a stand-in for the two parts of Electron that it uses. */
async function connect(page: Page, router: Router): Promise<void> {
  await page.exposeFunction('answerCall', (name: unknown, args: unknown) => router(name, args))
  await page.addInitScript(`{
    const listeners = new Map()
    const electron = {
      contextBridge: { exposeInMainWorld: (name, api) => { window[name] = api } },
      ipcRenderer: {
        invoke: (channel, name, args) => channel === 'call' ? window.answerCall(name, args) : Promise.reject(new Error(channel)),
        on: (channel, listener) => {
          listeners.set(listener, (event) => listener(event, event.detail))
          window.addEventListener(channel, listeners.get(listener))
        },
        off: (channel, listener) => window.removeEventListener(channel, listeners.get(listener)),
      },
    }
    const require = (name) => { if (name === 'electron') return electron; throw new Error('a sandboxed preload cannot require ' + name) }
    const module = { exports: {} }
    ;((require, module, exports) => { ${readFileSync(join(OUT, 'preload', 'index.cjs'), 'utf8')} })(require, module, module.exports)
  }`)
}
