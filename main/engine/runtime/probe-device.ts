import os from 'node:os'
import * as ort from 'onnxruntime-node'
import { DEVICE_LABELS, type Device, type DeviceRecord, type ProbeStep } from '../protocol.ts'
import { largestError } from './compare-devices.ts'
import { describeHardware } from './hardware.ts'
import {
  type Benchmark, branchCheck, type Check, convCheck, convTransposeCheck, float16Check, matMulCheck, speedBenchmark,
} from './probe-graphs.ts'
import { Session } from './session.ts'

/** What every model needs; a device that fails one of these cannot be used. */
const NEEDED = { matMul: matMulCheck, conv: convCheck, branch: branchCheck } as const

const TIMED_RUNS = 3
const PRODUCT_SIZES = [128, 256, 512, 1024]
const ENOUGH_SECONDS = 0.02

/**
 * Probes one device by computing on it, and compares with the CPU's numbers. Never throws for what the device does; a driver's
 * crash takes this process down, so run it in one of its own. `report` hears each step before it is tried.
 */
export async function probeDevice(device: Device, report: (step: ProbeStep) => void = () => undefined): Promise<DeviceRecord> {
  report('start')
  if (!ort.listSupportedBackends().some(({ name }) => name === device)) return record(device, { reason: absence(device) })
  for (const [step, check] of Object.entries(NEEDED) as [keyof typeof NEEDED, () => Check][]) {
    report(step)
    const problem = await problemWith(device, step, check())
    if (problem !== undefined) return record(device, problem)
  }
  report('convTranspose')
  const convTranspose = (await problemWith(device, 'convTranspose', convTransposeCheck())) === undefined ? 'correct' : 'wrong'
  report('float16')
  // The CPU widens halves to float32: it takes them, and gains nothing.
  const float16 = device !== 'cpu' && (await problemWith(device, 'float16', float16Check())) === undefined
  report('speed')
  return record(device, { convTranspose, float16, speed: await measureSpeed(device), ...(await describeHardware(device)) })
}

/** A record: available unless there is a reason. */
function record(device: Device, found: Partial<DeviceRecord>): DeviceRecord {
  return {
    device,
    available: (found.reason ?? null) === null,
    reason: null,
    detail: null,
    name: null,
    float16: false,
    convTranspose: 'untested',
    memoryBytes: null,
    speed: null,
    onnxruntimeVersion: ort.env.versions.node ?? ort.env.versions.common,
    probedAt: new Date().toISOString(),
    ...found,
  }
}

type Problem = Pick<DeviceRecord, 'reason' | 'detail'>

/** Why a device fails a check, or undefined when it passes. */
async function problemWith(device: Device, step: ProbeStep, check: Check): Promise<Problem | undefined> {
  try {
    const error = await largestError(device, check)
    if (error <= check.tolerance) return undefined
    const where = `step ${step}, relative error ${error.toPrecision(2)}`
    return { reason: `${DEVICE_LABELS[device]} computes wrong numbers (${where}).`, detail: null }
  } catch (problem) {
    const detail = problem instanceof Error ? problem.message : String(problem)
    return { reason: explainFailure(device, detail), detail }
  }
}

/**
 * Floating point operations per second, or null when a run fails. Products grow until one takes long enough to be measured: a
 * software renderer needs a minute for what a GPU does in one millisecond.
 */
async function measureSpeed(device: Device): Promise<number | null> {
  let speed: number | null = null
  try {
    for (const size of PRODUCT_SIZES) {
      const timing = await timeRuns(device, speedBenchmark(size))
      speed = timing.speed
      if (timing.seconds > ENOUGH_SECONDS) break
    }
  } catch {
    return null
  }
  return speed
}

/** The best of a few runs after a first one that compiles. */
async function timeRuns(device: Device, { graph, feeds, operations }: Benchmark): Promise<{ seconds: number; speed: number }> {
  const session = await Session.create(graph, { device })
  try {
    await session.run(feeds)
    let seconds = Infinity
    for (let run = 0; run < TIMED_RUNS; run++) {
      const start = performance.now()
      await session.run(feeds)
      seconds = Math.min(seconds, (performance.now() - start) / 1000)
    }
    return { seconds, speed: operations / seconds }
  } finally {
    await session.dispose()
  }
}

/** Why the runtime's build does not hold a device at all. */
function absence(device: Device): string {
  if (device === 'dml' && process.platform !== 'win32') return 'DirectML exists only on Windows.'
  if (device === 'coreml' && process.platform !== 'darwin') return 'Core ML exists only on macOS.'
  return `ONNX Runtime comes without ${DEVICE_LABELS[device]} for ${os.type()} on ${process.arch}.`
}

/** The runtime's words for a device that cannot start, in plain ones where they are known. */
export function explainFailure(device: Device, detail: string): string {
  const known = FAILURES.find(({ devices, pattern }) => devices.includes(device) && pattern.test(detail))
  return known?.reason ?? `${DEVICE_LABELS[device]} cannot start: ${firstLine(detail)}`
}

const FAILURES: readonly { readonly devices: readonly Device[]; readonly pattern: RegExp; readonly reason: string }[] = [
  {
    devices: ['cuda'],
    pattern: /load(ing)? (shared )?library|providers_(cuda|shared)/i,
    reason: "CUDA's libraries are not installed.",
  },
  {
    devices: ['cuda'],
    pattern: /no CUDA-capable device|driver version is insufficient|CUDA failure 35\b/i,
    reason: 'CUDA found no NVIDIA GPU with a driver that is new enough.',
  },
  {
    devices: ['webgpu'],
    pattern: /no supported adapters|failed to get a webgpu (adapter|device)/i,
    reason: 'WebGPU found no graphics driver that it can use.',
  },
]

function firstLine(text: string): string {
  const line = text.split('\n')[0]?.trim() ?? ''
  return line.endsWith('.') ? line : `${line}.`
}
