import { HalfstepError } from '../errors.ts'
import { type Device, DEVICE_LABELS, DEVICES, ENGINE_JOBS, type DeviceRecord, type ProbeStep } from '../protocol.ts'
import { EngineClient } from './engine-client.ts'
import type { ProcessLauncher } from './launcher.ts'

export interface ProbeOptions {
  /** All of them by default. */
  readonly devices?: readonly Device[]
  readonly signal?: AbortSignal
  /** How long one device may take: compiling a probe's shaders takes seconds at worst, a driver that takes a minute hangs. */
  readonly patienceSeconds?: number
  readonly onRecord?: (record: DeviceRecord) => void
}

/**
 * Probes devices one after another, each in a process of its own, because a bad driver takes its process down; that is then what
 * its record says. Fails with `cancelled` only.
 */
export async function probeDevices(launch: ProcessLauncher, options: ProbeOptions = {}): Promise<DeviceRecord[]> {
  const records: DeviceRecord[] = []
  for (const device of options.devices ?? DEVICES) {
    const record = await probeAlone(launch, device, options)
    options.onRecord?.(record)
    records.push(record)
  }
  // A process that crashed could not tell the runtime's version; the others could.
  const version = records.find(({ onnxruntimeVersion }) => onnxruntimeVersion !== UNKNOWN)?.onnxruntimeVersion ?? UNKNOWN
  return records.map((record) => (record.onnxruntimeVersion === UNKNOWN ? { ...record, onnxruntimeVersion: version } : record))
}

async function probeAlone(launch: ProcessLauncher, device: Device, { signal, patienceSeconds = 60 }: ProbeOptions): Promise<DeviceRecord> {
  const client = new EngineClient(ENGINE_JOBS, launch)
  const timeout = AbortSignal.timeout(patienceSeconds * 1000)
  let step: ProbeStep = 'start'
  try {
    return await client.run('devices.probe', { device }, {
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      onProgress: (progress) => {
        step = progress.step
      },
    })
  } catch (error) {
    if (!(error instanceof HalfstepError) || signal?.aborted === true) throw error
    const what = timeout.aborted ? `did not finish within ${patienceSeconds} seconds` : 'crashed'
    const detail = [error.message, error.details.output].filter(Boolean).join('\n')
    return unavailable(device, `${DEVICE_LABELS[device]} ${what} when it was tested (step ${step}).`, detail)
  } finally {
    await client.dispose()
  }
}

const UNKNOWN = 'unknown'

function unavailable(device: Device, reason: string, detail: string): DeviceRecord {
  return {
    device,
    available: false,
    reason,
    detail,
    name: null,
    float16: false,
    convTranspose: 'untested',
    memoryBytes: null,
    speed: null,
    onnxruntimeVersion: UNKNOWN,
    probedAt: new Date().toISOString(),
  }
}
