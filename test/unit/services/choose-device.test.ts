import { describe, expect, test } from 'vitest'
import type { DeviceRecord } from '../../../main/engine/protocol.ts'
import { chooseDevice } from '../../../main/services/choose-device.ts'

function record(device: DeviceRecord['device'], found: Partial<DeviceRecord> = {}): DeviceRecord {
  return {
    device,
    available: found.reason === undefined || found.reason === null,
    reason: null,
    detail: null,
    name: null,
    float16: false,
    convTranspose: 'correct',
    memoryBytes: null,
    speed: null,
    onnxruntimeVersion: '1.30.0',
    probedAt: '2026-01-01T00:00:00.000Z',
    ...found,
  }
}

const noCuda = record('cuda', { reason: "CUDA's libraries are not installed." })
const noDml = record('dml', { reason: 'DirectML exists only on Windows.' })
const noCoreml = record('coreml', { reason: 'Core ML exists only on macOS.' })
const noWebgpu = record('webgpu', { reason: 'WebGPU found no graphics driver that it can use.' })
const cpu = record('cpu', { name: 'Ryzen 5', speed: 1e11 })

describe('choosing a device', () => {
  test('takes the first that works and says why not those before it', () => {
    const webgpu = record('webgpu', { name: 'Radeon', speed: 1e13 })
    expect(chooseDevice([noCuda, noDml, noCoreml, webgpu, cpu])).toEqual({
      device: 'webgpu',
      reason:
        "Using WebGPU (Radeon): CUDA's libraries are not installed; DirectML exists only on Windows; Core ML exists only on macOS.",
    })
  })

  test('needs no excuse for the first in the order', () => {
    const choice = chooseDevice([cpu, record('cuda', { name: 'RTX 4070', speed: 2e13 })])
    expect(choice).toEqual({ device: 'cuda', reason: 'Using CUDA (RTX 4070): the fastest kind of device, and it works here.' })
  })

  test('passes over a software renderer that is slower than the processor', () => {
    const { device, reason } = chooseDevice([noCuda, noDml, noCoreml, record('webgpu', { name: 'SwiftShader', speed: 3e9 }), cpu])
    expect(device).toBe('cpu')
    expect(reason).toContain('WebGPU (SwiftShader) is slower than the processor (3 against 100 GFLOP/s)')
  })

  test('takes a device whose speed is not known', () => {
    expect(chooseDevice([noCuda, noDml, noCoreml, record('webgpu'), cpu]).device).toBe('webgpu')
  })

  test('takes a device where the CPU was not measured', () => {
    expect(chooseDevice([record('webgpu', { speed: 1 }), record('cpu')]).device).toBe('webgpu')
  })

  test('names the devices that were never probed', () => {
    expect(chooseDevice([cpu]).reason).toBe(
      'Using the CPU (Ryzen 5): CUDA was not probed; DirectML was not probed; Core ML was not probed; WebGPU was not probed.',
    )
  })

  test('follows a wish, even for a slow device', () => {
    const choice = chooseDevice([record('webgpu', { speed: 1 }), cpu], 'webgpu')
    expect(choice).toEqual({ device: 'webgpu', reason: 'Using WebGPU, as asked.' })
  })

  test('refuses a wish that cannot be met, with the reason', () => {
    const message = "The device cuda cannot be used: CUDA's libraries are not installed."
    expect(() => chooseDevice([noCuda, cpu], 'cuda')).toThrow(expect.objectContaining({ code: 'device.unavailable', message }))
  })

  test('refuses a wish for a device that was never probed', () => {
    const message = 'The device dml cannot be used: it was not probed.'
    expect(() => chooseDevice([cpu], 'dml')).toThrow(expect.objectContaining({ message }))
  })

  test('says so when nothing works', () => {
    const all = [noCuda, noDml, noCoreml, noWebgpu, record('cpu', { reason: 'The CPU computes wrong numbers.' })]
    expect(() => chooseDevice(all)).toThrow(expect.objectContaining({ code: 'device.unavailable' }))
    expect(() => chooseDevice([])).toThrow(expect.objectContaining({ code: 'device.unavailable' }))
  })
})
