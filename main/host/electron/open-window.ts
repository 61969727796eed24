import { app, BrowserWindow, screen } from 'electron'
import { join } from 'node:path'
import { APP_ORIGIN } from '../security.ts'
import { LEAST_SIZE, readWindowState, windowPlace, writeWindowState } from './window-state.ts'

/** Opens the window where it was closed the last time. @param preload absolute path of the preload script */
export function openWindow(preload: string): BrowserWindow {
  const statePath = join(app.getPath('userData'), 'window.json')
  const displays = screen.getAllDisplays().map(({ workArea }) => workArea)
  const { maximized, ...bounds } = windowPlace(readWindowState(statePath), displays)
  const window = new BrowserWindow({
    ...bounds,
    minWidth: LEAST_SIZE.width,
    minHeight: LEAST_SIZE.height,
    show: false,
    webPreferences: { preload, contextIsolation: true, sandbox: true, nodeIntegration: false, webviewTag: false, spellcheck: false },
  })
  if (maximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  window.on('close', () => writeWindowState(statePath, { ...window.getNormalBounds(), maximized: window.isMaximized() }))
  void window.loadURL(`${APP_ORIGIN}/index.html`)
  return window
}

/** Brings a window to the person who asked for it, wherever it is. */
export function bringToFront(window: Electron.BrowserWindow): void {
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

/** Opens one of our pages in a window. Only the part behind `#` changes, so the page stays and changes its view. */
export function showPage(window: Electron.BrowserWindow, hash: string): void {
  bringToFront(window)
  // Rejected where a newer wish overtakes it.
  window.webContents.loadURL(`${APP_ORIGIN}/index.html${hash}`).catch(() => undefined)
}
