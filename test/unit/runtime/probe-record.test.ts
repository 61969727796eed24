import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DeviceRecord } from '../../../main/engine/protocol.ts'
import { loadProbeRecord, machineFingerprint, saveProbeRecord } from '../../../main/engine/runtime/probe-record.ts'

const RECORD: DeviceRecord = {
  device: 'cpu',
  available: true,
  reason: null,
  detail: null,
  name: 'Ryzen 5',
  float16: false,
  convTranspose: 'correct',
  memoryBytes: 1e10,
  speed: 1e11,
  onnxruntimeVersion: '1.30.0',
  probedAt: '2026-01-01T00:00:00.000Z',
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-probe-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('gives back what was saved, from a folder that need not exist before', () => {
  const cache = join(folder, 'cache')
  saveProbeRecord(cache, 'this machine', [RECORD])
  expect(loadProbeRecord(cache, 'this machine')).toEqual([RECORD])
  expect(readdirSync(cache)).toEqual(['devices.json'])
})

test('forgets records once the runtime, the drivers or the machine changed', () => {
  saveProbeRecord(folder, 'this machine', [RECORD])
  expect(loadProbeRecord(folder, 'another machine')).toBeUndefined()
})

test.each(['', '{', '[]', '{"machine":"this machine","records":[{"device":"abacus"}]}'])('counts a damaged file (%j) as none', (text) => {
  writeFileSync(join(folder, 'devices.json'), text)
  expect(loadProbeRecord(folder, 'this machine')).toBeUndefined()
})

test('counts a missing file as none', () => expect(loadProbeRecord(folder, 'this machine')).toBeUndefined())

test('names the file that cannot be written', () => {
  writeFileSync(join(folder, 'file'), '')
  const save = () => saveProbeRecord(join(folder, 'file'), 'this machine', [RECORD])
  expect(save).toThrow(expect.objectContaining({ code: 'file.unwritable', message: expect.stringContaining(join(folder, 'file')) }))
})

test('the fingerprint stays the same while nothing changes, and follows the Vulkan driver that is prescribed', async () => {
  const before = await machineFingerprint()
  expect(await machineFingerprint()).toBe(before)
  const manifest = process.env.VK_DRIVER_FILES
  process.env.VK_DRIVER_FILES = '/somewhere/another_icd.json'
  const after = await machineFingerprint()
  if (manifest === undefined) delete process.env.VK_DRIVER_FILES
  else process.env.VK_DRIVER_FILES = manifest
  expect(after === before).toBe(process.platform !== 'linux')
})
