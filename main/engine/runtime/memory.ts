import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import type { Device } from '../protocol.ts'
import { nvidiaGpus } from './nvidia-smi.ts'

const STATUS = '/proc/self/status'
const KIBIBYTE = 1024

/** The most memory this process has held at once, in bytes, since it started or since `resetPeakMemory` last succeeded. */
export function peakMemory(): number {
  return statusField('VmHWM') ?? process.resourceUsage().maxRSS * KIBIBYTE
}

/**
 * Starts the peak anew at the present level, where the system allows it (Linux). Gives false where it does not: the peak is
 * then that of the process's whole life.
 */
export function resetPeakMemory(): boolean {
  try {
    // proc(5): writing 5 to clear_refs resets the peak resident set size.
    writeFileSync('/proc/self/clear_refs', '5')
    return true
  } catch {
    return false
  }
}

/** What this process holds now, in bytes. */
export interface ResidentMemory {
  readonly total: number
  /** Pages of mapped files, such as weights: the system takes them back when it needs room. Undefined where it does not tell. */
  readonly mappedFiles: number | undefined
}

export function residentMemory(): ResidentMemory {
  return { total: process.memoryUsage.rss(), mappedFiles: statusField('RssFile') }
}

/** Memory that can still be taken without swapping, in bytes, within the process's limits (containers included). */
export function availableMemory(): number {
  return process.availableMemory()
}

/** All memory this process may use, in bytes: the machine's, or its container's if that is less. */
export function totalMemory(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem()
}

export interface DeviceMemory {
  readonly totalBytes: number
  readonly usedBytes: number
}

/** Memory of the device that models are computed on; undefined when it does not tell. The first GPU is the one providers use. */
export async function deviceMemory(device: Device): Promise<DeviceMemory | undefined> {
  if (device === 'cpu') return { totalBytes: totalMemory(), usedBytes: totalMemory() - availableMemory() }
  return (await nvidiaGpus())[0]
}

/** A field of /proc/self/status in bytes; undefined where there is no such file or field. */
function statusField(name: string): number | undefined {
  try {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(STATUS, 'utf8'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * KIBIBYTE
  } catch {
    return undefined
  }
}
