import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HalfstepError } from '../../main/engine/errors.ts'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { type DeviceRecord, DEVICES } from '../../main/engine/protocol.ts'
import type { LocalHost } from '../../main/host/local.ts'
import { engineIn, type Engine } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import { type AppPage, openApp, serveApp, startBrowser } from './app-page.ts'
import { openThroughPreload } from './preload-page.ts'
import { CPU, GPU, NO_CUDA, scriptedEngine } from './scripted-engine.ts'

let browser: Browser
let folder: string
let services: Services
let host: LocalHost | undefined

/** Opens Settings over a fresh library, whose engine answers probes as the test says. */
async function openSettings(probeDevices: Engine['probeDevices']): Promise<AppPage> {
  services = openServices({ ...scriptedEngine(), probeDevices }, folder)
  host = await serveApp(services)
  return openAt(host, 'settings')
}

async function openAt(served: LocalHost, page: string): Promise<AppPage> {
  const app = await openApp(browser, served)
  await app.page.evaluate(`location.hash = '#/${page}'`)
  return app
}

beforeAll(async () => {
  browser = await startBrowser()
})

afterAll(() => browser.close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-e2e-'))
})

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()))
  await host?.close()
  host = undefined
  services.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the devices in Settings', () => {
  it('are what is really in this machine, the processor at least', async () => {
    services = openServices(engineIn(forkLauncher()), folder)
    host = await serveApp(services)
    const { page, complaints } = await openAt(host, 'settings')
    await page.getByRole('button', { name: 'Look again' }).waitFor({ timeout: 50_000 })
    const listed = page.getByRole('list', { name: /Devices that can|Cannot be used/ }).getByRole('listitem')
    expect(await listed.count()).toBe(DEVICES.length)
    expect((await page.getByRole('article').allInnerTexts()).at(-1)).toMatch(/(In use|Ready)[^]*GB[^]*FLOP\/s/)
    expect(complaints).toEqual([])
  })

  it('are looked for the first time, with progress, and listed with what cannot be used and why', async () => {
    const probe = Promise.withResolvers<DeviceRecord[]>()
    const { page } = await openSettings(({ onRecord }) => {
      onRecord?.(NO_CUDA)
      return probe.promise
    })
    await page.getByRole('button', { name: 'Stop looking' }).waitFor()
    await page.getByText('20 %').waitFor()
    probe.resolve([NO_CUDA, GPU, CPU])
    await page.getByRole('button', { name: 'Look again' }).waitFor()
    const cards = page.getByRole('article')
    expect(await cards.nth(0).innerText()).toMatch(/AMD Radeon RX 7800 XT[^]*In use[^]*16\.0 GB[^]*31\.4 TFLOP\/s[^]*yes/)
    expect(await cards.nth(1).innerText()).toMatch(/Ready[^]*32\.0 GB[^]*420 GFLOP\/s[^]*no/)
    const unusable = page.getByRole('list', { name: 'Cannot be used here' }).getByRole('listitem')
    expect(await unusable.allInnerTexts()).toEqual([expect.stringMatching(/NVIDIA CUDA[^]*No NVIDIA driver was found/)])
    expect(await page.getByText(folder).isVisible()).toBe(true)
  })

  it('say what went wrong and what to do, stay as they were, and recover on the next try', async () => {
    const answers: (() => DeviceRecord[])[] = [
      () => [CPU],
      () => {
        throw new HalfstepError('engine.stopped', 'The engine stopped while it tried webgpu.', 'Update the graphics driver and look again.')
      },
      () => [GPU, CPU],
    ]
    const { page } = await openSettings(async () => answers.shift()?.() ?? [])
    await page.getByRole('button', { name: 'Look again' }).click()
    expect(await page.getByRole('alert').innerText()).toMatch(/The engine stopped[^]*Update the graphics driver/)
    expect(await page.getByRole('article').count()).toBe(1)
    await page.getByRole('button', { name: 'Look again' }).click()
    await page.getByRole('article').filter({ hasText: 'AMD Radeon RX 7800 XT' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  it('are no longer looked for when asked to stop, which is no error', async () => {
    const { page } = await openSettings(({ signal }) => new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new HalfstepError('cancelled', 'devices.probe was cancelled.')))
    }))
    await page.getByRole('button', { name: 'Stop looking' }).click()
    await page.getByRole('button', { name: 'Look for devices' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  it('show what another page has found', async () => {
    const answers = [[CPU], [GPU, CPU]]
    const first = await openSettings(async () => answers.shift() ?? [])
    await first.page.getByRole('button', { name: 'Look again' }).waitFor()
    const second = await openAt(host!, 'settings')
    await expect.poll(() => second.page.getByRole('article').count()).toBe(1)
    await first.page.getByRole('button', { name: 'Look again' }).click()
    await expect.poll(() => second.page.getByRole('article').count()).toBe(2)
  })
})

describe('through Electron’s preload script', () => {
  it('the page works as it does over the local host', async () => {
    services = openServices(scriptedEngine(), folder)
    const page = await openThroughPreload(browser, services)
    await page.getByText('Working on AMD Radeon RX 7800 XT with 16.0 GB').waitFor()
    expect(await page.evaluate('typeof window.halfstep.call')).toBe('function')
  })
})
