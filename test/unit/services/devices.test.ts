import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { DEVICES, type DeviceRecord } from '../../../main/engine/protocol.ts'
import { DeviceService, type ProbeProgress } from '../../../main/services/devices.ts'
import { type LibraryDatabase, openDatabase } from '../../../main/store/database.ts'

const CPU: DeviceRecord = {
  device: 'cpu',
  available: true,
  reason: null,
  detail: null,
  name: 'CPU with 8 threads',
  float16: false,
  convTranspose: 'correct',
  memoryBytes: 16e9,
  speed: 1.5e11,
  onnxruntimeVersion: '1.30.0',
  probedAt: '2026-01-01T00:00:00.000Z',
}
const WEBGPU: DeviceRecord = { ...CPU, device: 'webgpu' }
const NO_CUDA: DeviceRecord = { ...CPU, device: 'cuda', available: false, reason: 'No NVIDIA driver was found.' }

let database: LibraryDatabase

beforeEach(() => {
  database = openDatabase(':memory:')
})

afterEach(() => database.close())

describe('the device service', () => {
  it('remembers what a probe found', async () => {
    const devices = new DeviceService(database, { probeDevices: async () => [NO_CUDA, CPU] })
    expect(devices.list()).toEqual({ devices: [], chosen: null })
    const found = await devices.probe()
    expect(found.devices).toEqual([NO_CUDA, CPU])
    expect(new DeviceService(database, { probeDevices: async () => [] }).list()).toEqual(found)
  })

  it('reports how many devices were tried', async () => {
    const seen: ProbeProgress[] = []
    const devices = new DeviceService(database, {
      async probeDevices({ onRecord }) {
        onRecord?.(WEBGPU)
        onRecord?.(CPU)
        return [WEBGPU, CPU]
      },
    })
    await devices.probe((progress) => seen.push(progress))
    expect(seen).toEqual([0, 1, 2].map((tried) => ({ tried, total: DEVICES.length })))
  })

  it('lets a second request join a probe that runs, and probes afresh after it', async () => {
    let probes = 0
    const devices = new DeviceService(database, { probeDevices: async () => (probes++, [CPU]) })
    expect(await Promise.all([devices.probe(), devices.probe()])).toHaveLength(2)
    expect(probes).toBe(1)
    await devices.probe()
    expect(probes).toBe(2)
  })

  it('keeps what it knew when a probe is stopped, and can probe again', async () => {
    let stopped = false
    const devices = new DeviceService(database, {
      probeDevices: ({ signal }) => stopped ? Promise.resolve([WEBGPU, CPU]) : new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new HalfstepError('cancelled', 'devices.probe was cancelled.')))
      }),
    })
    devices.stop()
    const probe = devices.probe()
    devices.stop()
    stopped = true
    await expect(probe).rejects.toMatchObject({ code: 'cancelled' })
    expect(devices.list().devices).toEqual([])
    expect((await devices.probe()).devices).toEqual([WEBGPU, CPU])
  })
})
