import os from 'node:os'
import { describe, expect, test } from 'vitest'
import { largestAdapter } from '../../../main/engine/runtime/hardware.ts'
import {
  availableMemory, deviceMemory, peakMemory, residentMemory, resetPeakMemory, totalMemory,
} from '../../../main/engine/runtime/memory.ts'
import { parseGpus } from '../../../main/engine/runtime/nvidia-smi.ts'

const MEBIBYTE = 2 ** 20

/** Takes memory, really touched. */
const take = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(1)

describe('this process', () => {
  test('its peak rises by what it takes', () => {
    const before = peakMemory()
    const taken = take(before + 64 * MEBIBYTE)
    expect(peakMemory()).toBeGreaterThan(before + 60 * MEBIBYTE)
    expect(taken[0]).toBe(1)
  })

  test('its peak starts anew where the system allows it', () => {
    const held = take(32 * MEBIBYTE)
    const before = peakMemory()
    if (resetPeakMemory()) expect(peakMemory()).toBeLessThan(before + MEBIBYTE)
    else expect(peakMemory()).toBeGreaterThanOrEqual(before)
    expect(peakMemory()).toBeGreaterThanOrEqual(residentMemory().total / 2)
    expect(held.length).toBe(32 * MEBIBYTE)
  })

  test('mapped files are part of what it holds', () => {
    const { total, mappedFiles } = residentMemory()
    expect(total).toBeGreaterThan(10 * MEBIBYTE)
    if (mappedFiles !== undefined) expect(mappedFiles).toBeLessThan(total + MEBIBYTE)
  })
})

describe('the machine', () => {
  test('what is available is part of what there is', () => {
    expect(totalMemory()).toBeLessThanOrEqual(os.totalmem())
    expect(availableMemory()).toBeGreaterThan(0)
    expect(availableMemory()).toBeLessThanOrEqual(os.totalmem())
  })

  test('the CPU computes in it', async () => {
    const memory = await deviceMemory('cpu')
    expect(memory?.totalBytes).toBe(totalMemory())
    expect(memory?.usedBytes).toBeGreaterThan(0)
  })
})

describe('what NVIDIA\'s tool prints', () => {
  test('is one GPU per line', () => {
    expect(parseGpus('NVIDIA H200, 570.86.15, 143771, 1024\nNVIDIA GeForce RTX 3060, 570.86.15, 12288, 0\n')).toEqual([
      { name: 'NVIDIA H200', driver: '570.86.15', totalBytes: 143771 * MEBIBYTE, usedBytes: 1024 * MEBIBYTE },
      { name: 'NVIDIA GeForce RTX 3060', driver: '570.86.15', totalBytes: 12288 * MEBIBYTE, usedBytes: 0 },
    ])
  })
  test.each(['', 'No devices were found', 'NVIDIA GB10, 580.95, [N/A], [N/A]'])('is no GPU in %j', (text) => {
    expect(parseGpus(text)).toEqual([])
  })
})

describe('what Windows\' registry lists', () => {
  const section = (number: number, name: string, memory?: string) => [
    `HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\000${number}`,
    `    DriverDesc    REG_SZ    ${name}`,
    ...(memory === undefined ? [] : [`    HardwareInformation.qwMemorySize    REG_QWORD    ${memory}`]),
    '\r\n',
  ].join('\r\n')

  test('gives the adapter with the most memory', () => {
    const registry = section(0, 'Intel(R) Iris(R) Xe Graphics', '0x40000000') + section(1, 'AMD Radeon RX 7600', '0x1fef00000')
    expect(largestAdapter(registry)).toEqual({ name: 'AMD Radeon RX 7600', memoryBytes: 0x1fef00000 })
  })
  test('may not tell the memory', () => {
    const name = 'Microsoft Basic Display Adapter'
    expect(largestAdapter(section(0, name))).toEqual({ name, memoryBytes: null })
  })
  test('may be empty', () => expect(largestAdapter('')).toEqual({ name: null, memoryBytes: null }))
})
