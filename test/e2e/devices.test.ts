import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { HalfstepError } from '../../main/engine/errors.ts'
import { type DeviceRecord, DEVICES } from '../../main/engine/protocol.ts'
import { engineIn, type Engine } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import { openApp, startBrowser } from './app-page.ts'

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'test-results')

const GPU: DeviceRecord = {
  device: 'webgpu',
  available: true,
  reason: null,
  detail: null,
  name: 'AMD Radeon RX 7800 XT',
  float16: true,
  convTranspose: 'correct',
  memoryBytes: 16e9,
  speed: 3.14e13,
  onnxruntimeVersion: '1.30.0',
  probedAt: '2026-01-01T12:00:00.000Z',
}
const NO_CUDA: DeviceRecord = {
  ...GPU, device: 'cuda', name: null, available: false, reason: 'No NVIDIA driver was found on this machine.', memoryBytes: null,
}
const CPU: DeviceRecord = { ...GPU, device: 'cpu', name: 'AMD Ryzen 7 5800X', memoryBytes: 32e9, speed: 4.2e11, float16: false }

let browser: Browser
let folder: string
let services: Services | undefined

/** Services over a fresh library, whose engine answers probes as the test says. */
function servicesWith(probeDevices: Engine['probeDevices']): Services {
  services = openServices({ probeDevices }, folder)
  return services
}

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  browser = await startBrowser()
})

afterAll(() => browser.close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-e2e-'))
})

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()))
  services?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the first page', () => {
  it('finds what is really in this machine, the processor at least', async () => {
    services = openServices(engineIn(forkLauncher()), folder)
    const { page, complaints } = await openApp(browser, services)
    await page.getByRole('button', { name: 'Look again' }).waitFor({ timeout: 50_000 })
    expect(await page.getByRole('listitem').count()).toBe(DEVICES.length)
    const usable = await page.getByRole('article').allInnerTexts()
    expect(usable.at(-1)).toMatch(/(In use|Ready)[^]*GB[^]*FLOP\/s/)
    await page.screenshot({ path: join(SCREENSHOTS, 'home-this-machine.png'), fullPage: true })
    expect(complaints).toEqual([])
  })

  it('looks for devices the first time, says so meanwhile, and lists what was found', async () => {
    const probe = Promise.withResolvers<DeviceRecord[]>()
    const { page, complaints } = await openApp(browser, servicesWith(({ onRecord }) => {
      onRecord?.(NO_CUDA)
      return probe.promise
    }))
    await page.getByRole('button', { name: 'Stop looking' }).waitFor()
    expect(await page.getByRole('status').innerText()).toMatch(/Trying each kind of device .*: 1 of 5 done\./)
    await page.screenshot({ path: join(SCREENSHOTS, 'home-probing.png') })

    probe.resolve([NO_CUDA, GPU, CPU])
    await page.getByRole('button', { name: 'Look again' }).waitFor()
    const cards = page.getByRole('article')
    expect(await cards.count()).toBe(2)
    expect(await cards.nth(0).innerText()).toMatch(/AMD Radeon RX 7800 XT[^]*In use[^]*16\.0 GB[^]*31\.4 TFLOP\/s[^]*yes/)
    expect(await cards.nth(1).innerText()).toMatch(/Ready[^]*32\.0 GB[^]*420 GFLOP\/s[^]*no/)
    const unusable = page.getByRole('list', { name: 'Cannot be used here' }).getByRole('listitem')
    expect(await unusable.allInnerTexts()).toEqual([expect.stringMatching(/NVIDIA CUDA[^]*No NVIDIA driver was found/)])
    expect(await page.getByText(folder).isVisible()).toBe(true)
    await page.screenshot({ path: join(SCREENSHOTS, 'home.png') })
    expect(complaints).toEqual([])
  })

  it('shows remembered devices without asking the hardware, also in the dark scheme', async () => {
    let probes = 0
    const remembered = servicesWith(async () => (probes++, [GPU, CPU]))
    await remembered.devices.probe()
    const { page, complaints } = await openApp(browser, remembered, 'dark')
    await page.getByText('AMD Radeon RX 7800 XT', { exact: true }).waitFor()
    await page.screenshot({ path: join(SCREENSHOTS, 'home-dark.png') })
    expect(probes).toBe(1)
    expect(complaints).toEqual([])
  })

  it('says what went wrong and what to do, keeps the devices it knew, and recovers on the next try', async () => {
    const answers: (() => DeviceRecord[])[] = [
      () => [CPU],
      () => {
        throw new HalfstepError('engine.stopped', 'The engine stopped while it tried webgpu.', 'Update the graphics driver and look again.')
      },
      () => [GPU, CPU],
    ]
    const { page } = await openApp(browser, servicesWith(async () => answers.shift()?.() ?? []))
    await page.getByRole('button', { name: 'Look again' }).click()
    expect(await page.getByRole('alert').innerText()).toMatch(/The engine stopped[^]*Update the graphics driver/)
    expect(await page.getByRole('listitem').count()).toBe(1)
    await page.screenshot({ path: join(SCREENSHOTS, 'home-failed.png') })

    await page.getByRole('button', { name: 'Look again' }).click()
    await page.getByText('AMD Radeon RX 7800 XT', { exact: true }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  it('stops looking when asked, without calling that an error', async () => {
    const { page } = await openApp(browser, servicesWith(({ signal }) => new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new HalfstepError('cancelled', 'devices.probe was cancelled.')))
    })))
    await page.getByRole('button', { name: 'Stop looking' }).click()
    await page.getByRole('button', { name: 'Look for devices' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  it('is worked by keyboard alone, with a visible focus', async () => {
    let probes = 0
    const { page } = await openApp(browser, servicesWith(async () => (probes++, [CPU])))
    await page.getByRole('button', { name: 'Look again' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.locator('button:focus-visible').count()).toBe(1)
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
    await page.keyboard.press('Enter')
    await expect.poll(() => probes).toBe(2)
  })

  it('shows what another page has found', async () => {
    const answers = [[CPU], [GPU, CPU]]
    const shared = servicesWith(async () => answers.shift() ?? [])
    const first = await openApp(browser, shared)
    await first.page.getByRole('button', { name: 'Look again' }).waitFor()
    const second = await openApp(browser, shared)
    await expect.poll(() => second.page.getByRole('listitem').count()).toBe(1)
    await first.page.getByRole('button', { name: 'Look again' }).click()
    await expect.poll(() => second.page.getByRole('listitem').count()).toBe(2)
  })
})
