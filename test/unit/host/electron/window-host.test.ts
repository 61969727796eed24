/**
 * What Electron is told, on a stand-in that writes it down: Electron's own program cannot run everywhere these tests do.
 * One test for each line of Electron's security checklist that is a setting and not a decision; decisions are in security.test.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServiceBus } from '../../../../main/services/service-events.ts'

type Listener = (...args: unknown[]) => unknown

interface FakeWindow {
  readonly options: Record<string, unknown>
  readonly events: Map<string, Listener[]>
  readonly addresses: string[]
  readonly progress: number[]
  focused: number
  /** The BrowserWindow that it is. */
  readonly window: unknown
}

const fake = vi.hoisted(() => {
  const named = () => new Map<string, Listener[]>()
  return {
    folder: '',
    privileges: [] as unknown[],
    sandboxed: false,
    app: named(),
    ipc: new Map<string, Listener>(),
    handlers: new Map<string, unknown>(),
    windows: [] as FakeWindow[],
    blockers: [] as string[],
    notes: [] as { title: string; click: () => void }[],
    focused: null as object | null,
  }
})

vi.mock('electron', () => {
  const on = (events: Map<string, Listener[]>) => (name: string, listener: Listener): void => {
    events.set(name, [...(events.get(name) ?? []), listener])
  }
  class BrowserWindow {
    readonly it: FakeWindow
    readonly webContents
    constructor(options: Record<string, unknown>) {
      this.it = { options, events: new Map(), addresses: [], progress: [], focused: 0, window: this }
      const { it } = this
      this.webContents = { loadURL: async (address: string) => void it.addresses.push(address), send: () => undefined }
      fake.windows.push(it)
    }
    static getAllWindows = () => fake.windows.map(({ window }) => window)
    static getFocusedWindow = () => fake.focused
    loadURL = async (address: string): Promise<void> => void this.it.addresses.push(address)
    on = (name: string, listener: Listener): void => on(this.it.events)(name, listener)
    once = this.on
    isMinimized = (): boolean => true
    isMaximized = (): boolean => true
    getNormalBounds = () => ({ x: 10, y: 20, width: 1100, height: 800 })
    maximize = (): void => undefined
    restore = (): void => undefined
    show = (): void => undefined
    focus = (): void => void this.it.focused++
    setProgressBar = (share: number): void => void this.it.progress.push(share)
  }
  class Notification {
    static isSupported = (): boolean => true
    readonly title: string
    constructor({ title }: { title: string }) {
      this.title = title
    }
    on = (name: string, listener: Listener): void => {
      if (name === 'click') fake.notes.push({ title: this.title, click: () => void listener() })
    }
    show = (): void => undefined
  }
  const session = {
    setSpellCheckerEnabled: (value: unknown) => fake.handlers.set('spelling', value),
    setSpellCheckerDictionaryDownloadURL: (value: unknown) => fake.handlers.set('dictionaries', value),
    setPermissionRequestHandler: (value: unknown) => fake.handlers.set('request', value),
    setPermissionCheckHandler: (value: unknown) => fake.handlers.set('check', value),
    setDevicePermissionHandler: (value: unknown) => fake.handlers.set('device', value),
    protocol: { handle: (scheme: string, value: unknown) => fake.handlers.set(`scheme ${scheme}`, value) },
  }
  return {
    app: {
      name: 'Halfstep', on: on(fake.app), getPath: () => fake.folder, quit: () => undefined, setAppUserModelId: () => undefined,
      enableSandbox: () => {
        fake.sandboxed = true
      },
    },
    BrowserWindow,
    Notification,
    Menu: { buildFromTemplate: (template: unknown) => template, setApplicationMenu: () => undefined },
    dialog: {},
    ipcMain: { handle: (name: string, listener: Listener) => fake.ipc.set(name, listener) },
    powerSaveBlocker: { start: (kind: string) => fake.blockers.push(kind), stop: () => fake.blockers.pop() },
    protocol: { registerSchemesAsPrivileged: (schemes: unknown[]) => fake.privileges.push(...schemes) },
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1040 } }] },
    session: { defaultSession: session },
  }
})

const { registerAppScheme, startWindowHost } = await import('../../../../main/host/electron.ts')

let bus: ServiceBus
let calls: unknown[]

beforeEach(() => {
  fake.folder = mkdtempSync(join(tmpdir(), 'halfstep-electron-'))
  Object.assign(fake, { windows: [], blockers: [], notes: [], privileges: [], focused: null, sandboxed: false })
  fake.app.clear()
  bus = new ServiceBus()
  calls = []
  const files = { pages: join(fake.folder, 'pages'), preload: '/app/preload.cjs', engine: '' }
  const router = async (name: unknown) => {
    calls.push(name)
    return { ok: true, value: null } as const
  }
  registerAppScheme()
  startWindowHost({ files, libraryFolder: fake.folder, router, bus })
})

afterEach(() => rmSync(fake.folder, { recursive: true, force: true }))

const say = (name: string, ...args: unknown[]): void => fake.app.get(name)?.forEach((listener) => void listener(...args))

describe('the window', () => {
  it('isolates and sandboxes its pages, without Node, web views and spell checking', () => {
    expect(fake.sandboxed).toBe(true)
    expect(fake.windows[0]?.options.webPreferences).toEqual({
      preload: '/app/preload.cjs', contextIsolation: true, sandbox: true, nodeIntegration: false, webviewTag: false, spellcheck: false,
    })
  })

  it('shows our own page by a scheme that has an origin and no more privileges than it needs', () => {
    expect(fake.windows[0]?.addresses).toEqual(['app://halfstep/index.html'])
    expect(fake.privileges).toEqual([
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
    ])
  })

  it('comes to the front when Halfstep is started a second time, and no second one opens', () => {
    say('second-instance')
    expect([fake.windows.length, fake.windows[0]?.focused]).toEqual([1, 1])
  })

  it('opens again where it was closed', () => {
    fake.windows[0]?.events.get('close')?.forEach((listener) => void listener())
    fake.windows.length = 0
    say('activate')
    expect(fake.windows[0]?.options).toMatchObject({ x: 10, y: 20, width: 1100, height: 800 })
  })
})

describe('pages', () => {
  it('cannot open windows, attach web views or leave', () => {
    const events = new Map<string, Listener>()
    let openWindow: Listener | undefined
    say('web-contents-created', {}, {
      setWindowOpenHandler: (handler: Listener) => {
        openWindow = handler
      },
      on: (name: string, listener: Listener) => events.set(name, listener),
    })
    expect(openWindow?.({ url: 'app://halfstep/index.html' })).toEqual({ action: 'deny' })
    const stopped = (name: string, url: string): boolean => {
      const preventDefault = vi.fn()
      events.get(name)?.({ url, preventDefault })
      return preventDefault.mock.calls.length > 0
    }
    expect(stopped('will-attach-webview', '')).toBe(true)
    for (const name of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
      expect([name, stopped(name, 'https://example.org/'), stopped(name, 'app://halfstep/index.html')]).toEqual([name, true, false])
    }
  })

  it('get no permission and no device but to write text to the clipboard', () => {
    const request = fake.handlers.get('request') as (contents: null, permission: string, answer: Listener, details: object) => void
    const asked = (permission: string): unknown => {
      const answer = vi.fn()
      request(null, permission, answer, { requestingUrl: 'app://halfstep/index.html' })
      return answer.mock.calls[0]?.[0]
    }
    const check = fake.handlers.get('check') as (contents: null, permission: string, origin: string) => boolean
    expect([asked('clipboard-sanitized-write'), asked('media'), asked('notifications')]).toEqual([true, false, false])
    expect([check(null, 'clipboard-sanitized-write', 'app://halfstep'), check(null, 'geolocation', 'app://halfstep')]).toEqual([true, false])
    expect((fake.handlers.get('device') as Listener)()).toBe(false)
  })

  it('fetch no dictionaries', () => {
    expect(fake.handlers.get('spelling')).toBe(false)
    expect(fake.handlers.get('dictionaries')).toMatch(/^app:/)
  })

  it('are answered with the content security policy, also when there is no such file', async () => {
    const answer = await (fake.handlers.get('scheme app') as (request: { method: string; url: string }) => Promise<Response>)({
      method: 'GET', url: 'app://halfstep/%2e%2e%2fsecret',
    })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
  })

  it('are heard from their top frame alone', async () => {
    const call = fake.ipc.get('call')!
    const from = (url: string, parent: unknown) => async () => call({ senderFrame: { url, parent } }, 'app.info', {})
    await expect(from('https://example.org/', null)()).rejects.toThrow('may not call')
    await expect(from('app://halfstep/index.html', {})()).rejects.toThrow('may not call')
    await expect((async () => call({ senderFrame: null }, 'app.info', {}))()).rejects.toThrow('may not call')
    expect(calls).toEqual([])
    expect(await from('app://halfstep/index.html', null)()).toEqual({ ok: true, value: null })
    expect(calls).toEqual(['app.info'])
  })
})

describe('a run', () => {
  const summary = (state: 'running' | 'finished') => ({
    id: 'a b', name: 'Hands', goal: 'fix-hands', state, device: 'cpu', modelId: null, modelName: null, adapterId: null, update: 3,
    updates: 6, reason: null, wish: null, firstReward: null, latestReward: null, seconds: 0, timeLeft: null, cover: null, createdAt: '',
    startedAt: null, endedAt: null,
  } as const)
  const tell = (state: 'running' | 'finished'): void => {
    bus.emit('runs.event', { run: 'a b', event: { type: 'state', summary: summary(state) } })
  }

  it('keeps the computer awake and shows in the taskbar until it ends', () => {
    tell('running')
    expect([fake.blockers, fake.windows[0]?.progress]).toEqual([['prevent-app-suspension'], [0.5]])
    tell('finished')
    expect([fake.blockers, fake.windows[0]?.progress]).toEqual([[], [0.5, -1]])
  })

  it('tells of its end someone who looks elsewhere, and a click shows it', () => {
    tell('running')
    tell('finished')
    expect(fake.notes.map(({ title }) => title)).toEqual(['Hands has finished'])
    fake.notes[0]?.click()
    expect(fake.windows[0]?.addresses.at(-1)).toBe('app://halfstep/index.html#/runs/a%20b')
    expect(fake.windows[0]?.focused).toBe(1)
  })

  it('does not tell someone who sees it', () => {
    fake.focused = {}
    tell('running')
    tell('finished')
    expect(fake.notes).toEqual([])
  })
})
