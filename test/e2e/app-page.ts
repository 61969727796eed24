import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { LocalHost } from '../../main/host/local.ts'
import { answerLibraryFile } from '../../main/host/library-pages.ts'
import { createHandlers } from '../../main/ipc/handlers.ts'
import { createRouter } from '../../main/ipc/router.ts'
import type { Services } from '../../main/services/services.ts'
import { findBrowser, HOW_TO_GET_A_BROWSER } from './browser.ts'

export const OUT = join(import.meta.dirname, '..', '..', 'out')

/** How long a page may take for anything. */
export const PATIENCE_MS = 60_000

/** The built page in a real browser, over the real local host, router and services. */
export interface AppPage {
  readonly page: Page
  /** What the page wrote to its console as warnings and errors, and every address it asked for elsewhere. */
  readonly complaints: readonly string[]
}

export interface Look {
  readonly colorScheme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
  /** Browser zoom: at 1.5 a window of 1024 pixels has room for 683. */
  readonly zoom?: number
}

export async function startBrowser(): Promise<Browser> {
  const executablePath = findBrowser()
  if (executablePath === undefined) throw new Error(`The browser tests need a browser. ${HOW_TO_GET_A_BROWSER}`)
  // Root, as in containers, cannot use Chromium's own sandbox.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] })
}

/** Serves the app over services that were started, as `halfstep serve` does. */
export async function serveApp(services: Services): Promise<LocalHost> {
  const { libraryFolder } = services.app
  const host = new LocalHost({
    pages: join(OUT, 'renderer'),
    libraryFiles: (method, path) => answerLibraryFile(method, path, libraryFolder),
    receiveFile: (file, body) => services.uploads.receive(file, body),
  })
  await host.listen(createRouter(createHandlers(services, host.broadcast)))
  return host
}

/** The app over services of a test's own, open in a browser of its own. */
export interface OpenApp {
  readonly page: Page
  readonly services: Services
  readonly host: LocalHost
  /** For whatever the test needs beside the library; it goes when the app is closed. */
  readonly folder: string
  close(): Promise<void>
}

/**
 * Starts services, serves the app over them and opens it as wide as most windows are.
 * @param open opens the services; the folder is empty and theirs alone
 * @param prepare what is in the library before the page is opened
 */
export async function startApp(open: (folder: string) => Services, prepare?: (services: Services) => Promise<void>): Promise<OpenApp> {
  const folder = mkdtempSync(join(tmpdir(), 'halfstep-app-'))
  const browser = await startBrowser()
  const services = open(folder)
  services.start()
  await prepare?.(services)
  const host = await serveApp(services)
  const { page } = await openApp(browser, host, { width: 1280, height: 840 })
  return {
    page, services, host, folder,
    async close() {
      await browser.close()
      await host.close()
      services.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Opens the app in a fresh profile with an address of its own. */
export async function openApp(browser: Browser, host: LocalHost, look: Look = {}): Promise<AppPage> {
  const { colorScheme = 'light', width = 1024, height = 700, zoom = 1 } = look
  const viewport = { width: Math.round(width / zoom), height: Math.round(height / zoom) }
  const context = await browser.newContext({ viewport, deviceScaleFactor: zoom, colorScheme, locale: 'en-GB' })
  // Also on a busy machine.
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const complaints = listen(context, page, `http://127.0.0.1:${host.port}/`)
  await page.goto(host.openingAddress())
  await page.getByRole('navigation').waitFor()
  return { page, complaints }
}

function listen(context: BrowserContext, page: Page, origin: string): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['warning', 'error'].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  context.on('request', (request) => {
    if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url())) complaints.push(`asked for ${request.url()}`)
  })
  return complaints
}
