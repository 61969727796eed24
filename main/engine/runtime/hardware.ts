import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Device } from '../protocol.ts'
import { totalMemory } from './memory.ts'
import { nvidiaGpus } from './nvidia-smi.ts'

/** What the system says about a device, which the runtime itself does not tell. */
export interface Hardware {
  readonly name: string | null
  readonly memoryBytes: number | null
}

const UNKNOWN: Hardware = { name: null, memoryBytes: null }

/** Name and memory of the hardware behind a device, asked of the system in the cheapest way it has. */
export async function describeHardware(device: Device): Promise<Hardware> {
  const processor = os.cpus()[0]?.model.trim() ?? null
  if (device === 'cpu') return { name: processor, memoryBytes: totalMemory() }
  // Apple's processors hold the GPU, and share one memory with it.
  if (process.platform === 'darwin') return { name: processor, memoryBytes: os.totalmem() }
  const driver = device === 'webgpu' ? chosenVulkanDriver() : undefined
  if (driver !== undefined) return { name: driver, memoryBytes: null }
  const [nvidia] = await nvidiaGpus()
  if (nvidia !== undefined) return { name: nvidia.name, memoryBytes: nvidia.totalBytes }
  return process.platform === 'win32' ? windowsAdapter() : linuxAdapter()
}

/** The Vulkan driver that the environment prescribes, by its manifest's name: `vk_swiftshader_icd`. */
function chosenVulkanDriver(): string | undefined {
  const manifest = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES
  return process.platform === 'linux' && manifest ? basename(manifest, '.json') : undefined
}

/** The display adapters' class in Windows' registry. */
const DISPLAY_CLASS = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}'

async function windowsAdapter(): Promise<Hardware> {
  return largestAdapter(await queryRegistry())
}

/** The adapter with the most memory in what `reg query` prints: a laptop lists its weaker, built-in GPU first. */
export function largestAdapter(registry: string): Hardware {
  const adapters = registry.split(/^HKEY/m).flatMap((section): Hardware[] => {
    const name = /^\s+DriverDesc\s+REG_SZ\s+(.+?)\s*$/m.exec(section)?.[1]
    const memory = /^\s+HardwareInformation\.qwMemorySize\s+REG_QWORD\s+(0x[0-9a-f]+)\s*$/im.exec(section)?.[1]
    return name === undefined ? [] : [{ name, memoryBytes: memory === undefined ? null : Number(memory) }]
  })
  return adapters.toSorted((a, b) => (b.memoryBytes ?? 0) - (a.memoryBytes ?? 0))[0] ?? UNKNOWN
}

const DRM = '/sys/class/drm'

/** AMD's driver tells the memory in sysfs; no driver tells a name there. */
function linuxAdapter(): Hardware {
  const sizes = graphicsCards().flatMap((card) => readNumber(join(DRM, card, 'device', 'mem_info_vram_total')) ?? [])
  return { name: null, memoryBytes: sizes.length === 0 ? null : Math.max(...sizes) }
}

/**
 * What is installed that decides whether a device works: a probe's record is worth nothing once this changes.
 * One line per driver, in a stable order.
 */
export async function installedDrivers(): Promise<string[]> {
  const nvidia = (await nvidiaGpus()).map(({ name, driver }) => `${name} ${driver}`)
  const cards = graphicsCards().map((card) => ['vendor', 'device'].map((file) => readText(join(DRM, card, 'device', file))).join(':'))
  const vulkan = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].flatMap(listFolder)
  const chosen = chosenVulkanDriver() ?? []
  const windows = process.platform === 'win32' ? await windowsDrivers() : []
  return [...nvidia, ...cards, ...vulkan, chosen, ...windows, ...runtimeLibraries()].flat().toSorted()
}

/** The runtime's own libraries: CUDA's are brought later, from inside the app. */
function runtimeLibraries(): string[] {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node')
  return listFolder(join(dirname(dirname(entry)), 'bin', 'napi-v6', process.platform, process.arch))
}

async function windowsDrivers(): Promise<string[]> {
  const lines = (await queryRegistry()).split('\n')
  return lines.filter((line) => line.includes('DriverVersion')).map((line) => line.trim())
}

/** Everything the registry holds about display adapters; empty when it cannot be asked. */
async function queryRegistry(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('reg', ['query', DISPLAY_CLASS, '/s'], { timeout: 10_000, windowsHide: true })
    return stdout
  } catch {
    return ''
  }
}

function graphicsCards(): string[] {
  return listFolder(DRM).filter((name) => /^card\d+$/.test(name))
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function readNumber(path: string): number | undefined {
  const text = readText(path)
  return /^\d+$/.test(text) ? Number(text) : undefined
}
