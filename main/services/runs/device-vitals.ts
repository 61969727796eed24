/** How a device is doing while it works, as far as the system tells; nothing is guessed. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Device } from '../../engine/protocol.ts'

/** Null where the system does not tell. */
export interface DeviceVitals {
  /** Of the whole device, other programs included; in bytes. */
  readonly memoryUsed: number | null
  readonly memoryTotal: number | null
  /** In degrees Celsius. */
  readonly temperature: number | null
}

/** What vitals are read from; tests put their own there. */
export interface VitalSources {
  /** Where Linux tells of hardware. */
  readonly sys: string
  /** What NVIDIA's tool prints for a query; rejects where it is missing. */
  readonly nvidia: (fields: string) => Promise<string>
  readonly memory: () => { readonly total: number; readonly free: number }
}

const SYSTEM: VitalSources = {
  sys: '/sys',
  nvidia: async (fields) => {
    const query = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits']
    return (await promisify(execFile)('nvidia-smi', query, { timeout: 5000, windowsHide: true })).stdout
  },
  memory: () => ({ total: totalmem(), free: freemem() }),
}

const UNKNOWN: DeviceVitals = { memoryUsed: null, memoryTotal: null, temperature: null }
const MEBIBYTE = 2 ** 20
/** The processor's own sensor, by the names its drivers have: Intel, AMD, Arm boards. */
const PROCESSOR = /^(x86_pkg_temp|coretemp|k10temp|zenpower|cpu[-_]?thermal|cpu)/

export function deviceVitals(device: Device, sources: VitalSources = SYSTEM): Promise<DeviceVitals> {
  return device === 'cpu' ? processorVitals(sources) : graphicsVitals(device, sources)
}

async function processorVitals({ sys, memory }: VitalSources): Promise<DeviceVitals> {
  const { total, free } = memory()
  return { memoryUsed: total - free, memoryTotal: total, temperature: await processorTemperature(sys) }
}

/** CUDA is NVIDIA's alone; the others run on whatever card there is. */
async function graphicsVitals(device: Device, { sys, nvidia }: VitalSources): Promise<DeviceVitals> {
  const told = await nvidia('memory.used,memory.total,temperature.gpu').then(parseNvidia, () => UNKNOWN)
  return device === 'cuda' || told.memoryTotal !== null ? told : amdVitals(sys)
}

/** The first line is the card that CUDA takes by default; `[N/A]` is what it does not tell. */
export function parseNvidia(csv: string): DeviceVitals {
  const [used, total, temperature] = (csv.split('\n')[0] ?? '').split(',').map((field) => {
    const value = Number(field)
    return field.trim() === '' || !Number.isFinite(value) ? null : value
  })
  const bytes = (mebibytes: number | null | undefined): number | null => (mebibytes == null ? null : mebibytes * MEBIBYTE)
  return { memoryUsed: bytes(used), memoryTotal: bytes(total), temperature: temperature ?? null }
}

/** The card with the most memory of its own, as the amdgpu driver tells. */
async function amdVitals(sys: string): Promise<DeviceVitals> {
  const drm = join(sys, 'class/drm')
  const cards = (await namesIn(drm)).filter((name) => /^card\d+$/.test(name))
  const vitals = await Promise.all(cards.map(async (card): Promise<DeviceVitals> => {
    const device = join(drm, card, 'device')
    const [sensor] = await namesIn(join(device, 'hwmon'))
    return {
      memoryUsed: await numberIn(join(device, 'mem_info_vram_used')),
      memoryTotal: await numberIn(join(device, 'mem_info_vram_total')),
      temperature: sensor === undefined ? null : thousandth(await numberIn(join(device, 'hwmon', sensor, 'temp1_input'))),
    }
  }))
  return vitals.filter(({ memoryTotal }) => memoryTotal !== null).sort((a, b) => b.memoryTotal! - a.memoryTotal!)[0] ?? UNKNOWN
}

async function processorTemperature(sys: string): Promise<number | null> {
  for (const [folder, name, value] of [['class/hwmon', 'name', 'temp1_input'], ['class/thermal', 'type', 'temp']] as const) {
    for (const sensor of await namesIn(join(sys, folder))) {
      const path = join(sys, folder, sensor)
      if (!PROCESSOR.test(await textIn(join(path, name)))) continue
      const temperature = thousandth(await numberIn(join(path, value)))
      if (temperature !== null) return temperature
    }
  }
  return null
}

const thousandth = (value: number | null): number | null => (value === null ? null : value / 1000)
const namesIn = (folder: string): Promise<string[]> => readdir(folder).then((names) => names.sort(), () => [])
const textIn = (path: string): Promise<string> => readFile(path, 'utf8').then((text) => text.trim(), () => '')

async function numberIn(path: string): Promise<number | null> {
  const text = await textIn(path)
  return /^-?\d+$/.test(text) ? Number(text) : null
}
