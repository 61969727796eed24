import { describe, expect, test } from 'vitest'
import { forkLauncher } from '../../../main/engine/process/fork-launcher.ts'
import { probeDevices } from '../../../main/engine/process/probe-devices.ts'
import { DeviceRecord } from '../../../main/engine/protocol.ts'
import { relativeError } from '../../../main/engine/runtime/compare-devices.ts'
import { explainFailure, probeDevice } from '../../../main/engine/runtime/probe-device.ts'
import { branchCheck, convCheck, convTransposeCheck, float16Check, matMulCheck } from '../../../main/engine/runtime/probe-graphs.ts'
import { Session } from '../../../main/engine/runtime/session.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { hasSwiftShader, swiftShaderEnvironment } from './swiftshader.ts'

describe('probing', () => {
  test('finds the CPU available and correct, in every step', async () => {
    const steps: string[] = []
    const record = await probeDevice('cpu', (step) => steps.push(step))
    const found = { device: 'cpu', available: true, reason: null, float16: false, convTranspose: 'correct' }
    expect(DeviceRecord.parse(record)).toMatchObject(found)
    expect(record.memoryBytes).toBeGreaterThan(2 ** 28)
    expect(record.speed).toBeGreaterThan(1e8)
    expect(record.onnxruntimeVersion).toMatch(/^\d+\.\d+\.\d+/)
    expect(steps).toEqual(['start', 'matMul', 'conv', 'branch', 'convTranspose', 'float16', 'speed'])
  })

  test('says why a device of another system is missing', async () => {
    const foreign = process.platform === 'win32' ? 'coreml' : 'dml'
    const record = await probeDevice(foreign)
    expect(record).toMatchObject({ available: false, convTranspose: 'untested', float16: false })
    expect(record.reason).toMatch(/exists only on/)
  })

  test('computes on WebGPU through SwiftShader where that is installed, and says why not where it is not', async () => {
    const [record] = await probeDevices(forkLauncher({ env: swiftShaderEnvironment }), { devices: ['webgpu'] })
    const found = { available: true, reason: null, convTranspose: 'correct', name: 'vk_swiftshader_icd' }
    if (hasSwiftShader) expect(record).toMatchObject(found)
    else expect(record?.available === true || (record?.reason ?? '').length > 0).toBe(true)
  })
})

describe('the checks', () => {
  test.each([
    ['matMul', matMulCheck],
    ['conv', convCheck],
    ['branch', branchCheck],
    ['convTranspose', convTransposeCheck],
    ['float16', float16Check],
  ] as const)('%s reaches the same numbers by both of its graphs on the CPU', async (_, make) => {
    const { graph, expected, feeds, tolerance } = make()
    const one = await Session.create(graph, { device: 'cpu' })
    const other = await Session.create(expected, { device: 'cpu' })
    for (const feed of feeds) {
      const got = await one.run(feed)
      for (const [name, wanted] of Object.entries(await other.run(feed))) expect(relativeError(got[name], wanted)).toBeLessThan(tolerance)
    }
    await one.dispose()
    await other.dispose()
  })

  test('the branch check feeds both branches, and they differ', async () => {
    const { graph, feeds } = branchCheck()
    const session = await Session.create(graph, { device: 'cpu' })
    const [one, other] = await Promise.all(feeds.map((feed) => session.run(feed)))
    await session.dispose()
    expect(relativeError(one?.y, other!.y!)).toBeGreaterThan(0.1)
  })
})

describe('the relative error', () => {
  const wanted = float32([2], [3, 4])
  test('is the norm of the difference over the norm of what is wanted', () => {
    expect(relativeError(float32([2], [3, 4.5]), wanted)).toBeCloseTo(0.1, 6)
  })
  test('is infinite for numbers that are not finite, missing or too few', () => {
    expect(relativeError(float32([2], [NaN, 4]), wanted)).toBe(Infinity)
    expect(relativeError(undefined, wanted)).toBe(Infinity)
    expect(relativeError(float32([1], [3]), wanted)).toBe(Infinity)
  })
})

describe('a failure in plain words', () => {
  test.each([
    ['cuda', 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library', "CUDA's libraries are not installed."],
    ['cuda', 'CUDA failure 100: no CUDA-capable device is detected', 'CUDA found no NVIDIA GPU with a driver that is new enough.'],
    ['webgpu', 'Failed to get a WebGPU adapter: No supported adapters', 'WebGPU found no graphics driver that it can use.'],
    ['dml', 'The GPU device instance has been suspended\nat 0x0', 'DirectML cannot start: The GPU device instance has been suspended.'],
  ] as const)('%s: %s', (device, detail, sentence) => expect(explainFailure(device, detail)).toBe(sentence))
})
