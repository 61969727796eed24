import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeviceRecord } from '../../../main/engine/protocol.ts'
import { type LibraryDatabase, openDatabase } from '../../../main/store/database.ts'
import { readDevices, replaceDevices } from '../../../main/store/devices.ts'

const CPU: DeviceRecord = {
  device: 'cpu',
  available: true,
  reason: null,
  detail: null,
  name: 'CPU with 8 threads',
  float16: false,
  convTranspose: 'correct',
  memoryBytes: 16 * 2 ** 30,
  speed: 1.5e11,
  onnxruntimeVersion: '1.30.0',
  probedAt: '2026-01-01T00:00:00.000Z',
}
const GPU: DeviceRecord = { ...CPU, device: 'cuda', available: false, reason: 'No CUDA driver was found.', memoryBytes: null, speed: null }

let database: LibraryDatabase

beforeEach(() => {
  database = openDatabase(':memory:')
})

afterEach(() => database.close())

describe('remembered devices', () => {
  it('read back as they were probed, in the order of the probe', () => {
    replaceDevices(database, [GPU, CPU])
    expect(readDevices(database)).toEqual([GPU, CPU])
  })

  it('are replaced as a whole by the next probe', () => {
    replaceDevices(database, [GPU, CPU])
    replaceDevices(database, [{ ...CPU, speed: 2e11 }])
    expect(readDevices(database)).toEqual([{ ...CPU, speed: 2e11 }])
  })

  it('stay as they were when the new ones cannot be stored', () => {
    replaceDevices(database, [CPU])
    expect(() => replaceDevices(database, [GPU, GPU])).toThrow('UNIQUE')
    expect(readDevices(database)).toEqual([CPU])
  })

  it('are left out when another version wrote them in another form', () => {
    replaceDevices(database, [GPU, CPU])
    database.exec("UPDATE devices SET record = '{}' WHERE device = 'cuda'")
    expect(readDevices(database)).toEqual([CPU])
  })
})
