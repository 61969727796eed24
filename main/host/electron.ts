import { app, BrowserWindow, dialog, ipcMain, Menu, protocol, session, type Session, type WebContents, type WebFrameMain } from 'electron'
import { join } from 'node:path'
import { toErrorValue } from '../engine/errors.ts'
import type { Broadcast } from '../ipc/handlers.ts'
import type { Router } from '../ipc/router.ts'
import type { ServiceBus } from '../services/service-events.ts'
import { electronDesktop } from './electron/desktop.ts'
import { menuTemplate } from './electron/menu.ts'
import { bringToFront, openWindow, showPage } from './electron/open-window.ts'
import { RunWatch } from './electron/run-watch.ts'
import { answerLibraryFile, isLibraryPath } from './library-pages.ts'
import { answerPage } from './pages.ts'
import { APP_ORIGIN, APP_SCHEME, isAppAddress, mayNavigate, maySend, mayUse } from './security.ts'

/** The built parts of the app, as absolute paths. */
export interface BuiltFiles {
  /** Folder with the built pages. */
  readonly pages: string
  /** The preload script (CommonJS). */
  readonly preload: string
  /** The program of the engine's process. */
  readonly engine: string
}

/** Where the build puts its parts below the app's folder. */
export function builtFiles(appFolder: string): BuiltFiles {
  const out = join(appFolder, 'out')
  return { pages: join(out, 'renderer'), preload: join(out, 'preload', 'index.cjs'), engine: join(out, 'engine', 'index.js') }
}

/** Must run before Electron is ready: makes `app:` a scheme with an origin, so that the content security policy holds for it. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
  ])
  app.enableSandbox()
  // By this name Windows knows whose notifications and taskbar button they are.
  if (process.platform === 'win32') app.setAppUserModelId('app.halfstep.desktop')
}

/** What the window is put over. */
export interface WindowHostParts {
  readonly files: BuiltFiles
  readonly libraryFolder: string
  readonly router: Router
  readonly bus: ServiceBus
}

/** Guards every page that will ever be made, answers their calls through the router, and opens the window. */
export function startWindowHost({ files, libraryFolder, router, bus }: WindowHostParts): void {
  app.on('web-contents-created', (_event, contents) => guardContents(contents))
  guardSession(session.defaultSession)
  serveFiles(session.defaultSession, files.pages, libraryFolder)
  answerCalls(router)
  const theWindow = (): Electron.BrowserWindow => BrowserWindow.getAllWindows()[0] ?? openWindow(files.preload)
  const go = (hash: string): void => showPage(theWindow(), hash)
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, app.name, { go })))
  const watch = new RunWatch(electronDesktop((run) => go(`#/runs/${encodeURIComponent(run)}`)))
  bus.listen((name, payload) => {
    if (name === 'runs.event' && 'run' in payload) watch.hear(payload)
  })
  theWindow()
  app.on('activate', () => bringToFront(theWindow()))
  app.on('second-instance', () => bringToFront(theWindow()))
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
}

/** Tells every open window. */
export const broadcast: Broadcast = (name, payload) => {
  for (const window of BrowserWindow.getAllWindows()) window.webContents.send(`event:${name}`, payload)
}

/** Says why Halfstep cannot start, and ends it. */
export function showFatalError(thrown: unknown): void {
  const { message, nextStep } = toErrorValue(thrown)
  dialog.showErrorBox('Halfstep cannot start', `${message}\n\n${nextStep}`)
  app.exit(1)
}

function guardContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  contents.on('will-attach-webview', (event) => event.preventDefault())
  const stay = (event: { readonly url: string; preventDefault(): void }): void => {
    if (!mayNavigate(event.url)) event.preventDefault()
  }
  contents.on('will-navigate', stay)
  contents.on('will-frame-navigate', stay)
  contents.on('will-redirect', stay)
}

function guardSession(target: Session): void {
  // Dictionaries would be fetched from the network even where the page has spell checking off.
  target.setSpellCheckerEnabled(false)
  target.setSpellCheckerDictionaryDownloadURL(`${APP_ORIGIN}/no-dictionaries/`)
  target.setPermissionRequestHandler((_contents, permission, answer, { requestingUrl }) => answer(mayUse(permission, requestingUrl)))
  target.setPermissionCheckHandler((_contents, permission, origin) => mayUse(permission, origin))
  target.setDevicePermissionHandler(() => false)
}

function serveFiles(target: Session, pages: string, libraryFolder: string): void {
  target.protocol.handle(APP_SCHEME, ({ method, url }) => {
    const { pathname } = new URL(url)
    if (isAppAddress(url) && isLibraryPath(pathname)) return answerLibraryFile(method, pathname, libraryFolder)
    return answerPage(method, url, pages)
  })
}

function answerCalls(router: Router): void {
  ipcMain.handle('call', (event, name: unknown, args: unknown) => {
    if (!maySend(describe(event.senderFrame))) throw new Error('This page may not call Halfstep.')
    return router(name, args)
  })
}

function describe(frame: WebFrameMain | null): Parameters<typeof maySend>[0] {
  return frame ? { url: frame.url, isTopFrame: frame.parent === null } : undefined
}
