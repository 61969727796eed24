import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deviceVitals, parseNvidia, type VitalSources } from '../../../main/services/runs/device-vitals.ts'

let sys: string
let sources: VitalSources

beforeEach(() => {
  sys = mkdtempSync(join(tmpdir(), 'halfstep-sys-'))
  const missing = (): Promise<string> => Promise.reject(new Error('ENOENT'))
  sources = { sys, nvidia: missing, memory: () => ({ total: 16e9, free: 10e9 }) }
})

afterEach(() => rmSync(sys, { recursive: true, force: true }))

function tell(path: string, text: string): void {
  const file = join(sys, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${text}\n`)
}

describe('the vitals of a device', () => {
  it('come from NVIDIA\'s own tool where there is one, of the first card', async () => {
    const nvidia = (): Promise<string> => Promise.resolve('4096, 24576, 61\n100, 8192, 40\n')
    const found = { memoryUsed: 4096 * 2 ** 20, memoryTotal: 24576 * 2 ** 20, temperature: 61 }
    expect(await deviceVitals('cuda', { ...sources, nvidia })).toEqual(found)
    expect(await deviceVitals('webgpu', { ...sources, nvidia })).toEqual(found)
  })

  it('are not invented where the tool does not tell', () => {
    expect(parseNvidia('[N/A], [N/A], 55')).toEqual({ memoryUsed: null, memoryTotal: null, temperature: 55 })
    expect(parseNvidia('')).toEqual({ memoryUsed: null, memoryTotal: null, temperature: null })
  })

  it('come from the amdgpu driver for other cards, the one with the most memory', async () => {
    tell('class/drm/card0/device/mem_info_vram_total', '536870912')
    tell('class/drm/card1/device/mem_info_vram_total', '17163091968')
    tell('class/drm/card1/device/mem_info_vram_used', '2000000000')
    tell('class/drm/card1/device/hwmon/hwmon3/temp1_input', '47000')
    expect(await deviceVitals('webgpu', sources)).toEqual({ memoryUsed: 2e9, memoryTotal: 17163091968, temperature: 47 })
  })

  it('are memory and the processor\'s own sensor for the CPU', async () => {
    tell('class/hwmon/hwmon0/name', 'nvme')
    tell('class/hwmon/hwmon0/temp1_input', '38000')
    expect(await deviceVitals('cpu', sources)).toEqual({ memoryUsed: 6e9, memoryTotal: 16e9, temperature: null })
    tell('class/thermal/thermal_zone0/type', 'x86_pkg_temp')
    tell('class/thermal/thermal_zone0/temp', '52500')
    expect((await deviceVitals('cpu', sources)).temperature).toBe(52.5)
  })

  it('are unknown where nothing tells', async () => {
    for (const device of ['cuda', 'webgpu', 'dml', 'coreml'] as const) {
      expect(await deviceVitals(device, sources)).toEqual({ memoryUsed: null, memoryTotal: null, temperature: null })
    }
  })
})
