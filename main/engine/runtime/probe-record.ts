import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { env } from 'onnxruntime-common'
import { z } from 'zod'
import { HalfstepError } from '../errors.ts'
import { DeviceRecord } from '../protocol.ts'
import { installedDrivers } from './hardware.ts'

const FILE = 'devices.json'

const ProbeFile = z.strictObject({ machine: z.string(), records: z.array(DeviceRecord) })

/**
 * The records of an earlier probe kept in this folder, or undefined when there are none, or when they are about another
 * machine: see `machineFingerprint`. A damaged file counts as none, since probing again makes it anew.
 */
export function loadProbeRecord(folder: string, machine: string): DeviceRecord[] | undefined {
  try {
    const file = ProbeFile.parse(JSON.parse(readFileSync(join(folder, FILE), 'utf8')))
    return file.machine === machine ? file.records : undefined
  } catch {
    return undefined
  }
}

/** Keeps the records of a probe in this folder. Throws `file.unwritable` when it cannot. */
export function saveProbeRecord(folder: string, machine: string, records: readonly DeviceRecord[]): void {
  const path = join(folder, FILE)
  const unfinished = `${path}.${randomUUID()}`
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(unfinished, JSON.stringify({ machine, records }, undefined, 2))
    renameSync(unfinished, path)
  } catch (problem) {
    const cause = problem instanceof Error ? problem.message : String(problem)
    const message = `The device record ${path} cannot be written: ${cause}.`
    throw new HalfstepError('file.unwritable', message, 'Free some space or make the folder writable.', { path })
  }
}

/** Names everything that a probe's outcome depends on: the runtime's version, the machine, and its graphics drivers. */
export async function machineFingerprint(): Promise<string> {
  const parts = [
    env.versions.common,
    process.platform,
    process.arch,
    os.release(),
    os.cpus()[0]?.model,
    os.totalmem(),
    ...(await installedDrivers()),
  ]
  return createHash('sha256').update(parts.join('\n')).digest('hex')
}
