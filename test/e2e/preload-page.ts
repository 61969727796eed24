import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright'
import { answerPage } from '../../main/host/pages.ts'
import { APP_ORIGIN } from '../../main/host/security.ts'
import { createHandlers } from '../../main/ipc/handlers.ts'
import { createRouter } from '../../main/ipc/router.ts'
import type { Services } from '../../main/services/services.ts'
import { OUT } from './app-page.ts'

/** A secure address of our own, answered by the test and never by the network. */
const ORIGIN = 'https://halfstep.test'

/** Opens the built page as Electron does: over the real preload script, with a stand-in for the two parts of Electron that it uses. */
export async function openThroughPreload(browser: Browser, services: Services): Promise<Page> {
  const page = await browser.newPage({ locale: 'en-GB' })
  await page.route('**', async (route) => {
    const address = route.request().url().replace(ORIGIN, APP_ORIGIN)
    const answer = await answerPage(route.request().method(), address, join(OUT, 'renderer'))
    const headers = Object.fromEntries(answer.headers)
    await route.fulfill({ status: answer.status, headers, body: Buffer.from(await answer.arrayBuffer()) })
  })
  const router = createRouter(createHandlers(services, (name, payload) => {
    void page.evaluate(`window.dispatchEvent(new CustomEvent('event:${name}', { detail: ${JSON.stringify(payload)} }))`)
  }))
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
  await page.goto(`${ORIGIN}/`)
  return page
}
