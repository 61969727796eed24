/** One writer per run folder: each process that writes to one says so by a file there, whose name says which process it is. */
import os from 'node:os'
import { join } from 'node:path'
import { isSystemError, unwritable } from '../../../native-models/weights/replace-file.ts'
import { wordsForDiskFault } from '../disk-fault.ts'
import { HalfstepError } from '../errors.ts'
import type { FileSystem } from './file-system.ts'
import { isProcess, processStart } from './process-start.ts'

/** A process that writes, or wrote before it was killed. */
interface Writer {
  readonly pid: number
  /** `unknown` where the system does not tell. */
  readonly start: string
  /** As a part of a file's name. */
  readonly host: string
}

const CLAIM = /^\.writer-(\d+)-([A-Za-z0-9]+)-(.*)$/

/** Throws `run.in-use` when another process writes to this run folder, changing nothing. A folder that is not there has no writer. */
export async function refuseOtherWriter(folder: string, files: FileSystem): Promise<void> {
  const { writers } = await writersOf(folder, files)
  const [other] = writers
  if (other !== undefined) throw inUse(folder, other)
}

/**
 * Makes this process the one that writes to a run folder, which must be there; gives the way to end that. What a killed process left
 * is removed. Of two that begin at the same moment both are refused, since each claims before it looks: never are there two.
 * Throws `run.in-use` and `file.unwritable`.
 */
export async function claimRun(folder: string, files: FileSystem): Promise<() => Promise<void>> {
  await refuseOtherWriter(folder, files)
  const claim = join(folder, nameOf(await thisProcess()))
  await makeEmpty(claim, files)
  const release = (): Promise<void> => files.remove(claim).catch(() => undefined)
  try {
    const { writers, ended } = await writersOf(folder, files)
    const [other] = writers
    if (other !== undefined) throw inUse(folder, other)
    for (const name of ended) await files.remove(join(folder, name)).catch(() => undefined)
    return release
  } catch (error) {
    await release()
    throw error
  }
}

/** The other processes that write to a folder, and the names of the files that ended ones left. */
async function writersOf(folder: string, files: FileSystem): Promise<{ readonly writers: Writer[]; readonly ended: string[] }> {
  const own = nameOf(await thisProcess())
  const names = (await namesIn(folder, files)).filter((name) => CLAIM.test(name) && name !== own)
  const writers: Writer[] = []
  const ended: string[] = []
  for (const name of names) {
    const [, pid, start = '', host = ''] = CLAIM.exec(name) ?? []
    const writer = { pid: Number(pid), start, host }
    if (await writes(writer)) writers.push(writer)
    else ended.push(name)
  }
  return { writers, ended }
}

/** Where it cannot be told, as of a process on another computer, it does. */
async function writes({ pid, start, host }: Writer): Promise<boolean> {
  if (host !== thisHost()) return true
  if (!isProcess(pid)) return false
  const now = await processStart(pid)
  return now === undefined || start === 'unknown' || now === start
}

let known: Promise<Writer> | undefined

function thisProcess(): Promise<Writer> {
  known ??= processStart(process.pid).then((start = 'unknown') => ({ pid: process.pid, start, host: thisHost() }))
  return known
}

function thisHost(): string {
  return encodeURIComponent(os.hostname())
}

function nameOf({ pid, start, host }: Writer): string {
  return `.writer-${pid}-${start}-${host}`
}

async function namesIn(folder: string, files: FileSystem): Promise<string[]> {
  try {
    return await files.list(folder)
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (error.code === 'ENOENT') return []
    const nextStep = 'Check the permissions of the folder and its disk.'
    throw new HalfstepError('file.unreadable', `${folder} cannot be read: ${wordsForDiskFault(error)}.`, nextStep, { folder })
  }
}

/** One that this process left when it could not remove it serves as well. */
async function makeEmpty(path: string, files: FileSystem): Promise<void> {
  try {
    await (await files.open(path, 'wx')).close()
  } catch (error) {
    if (!isSystemError(error)) throw error
    if (error.code !== 'EEXIST') throw unwritable(path, error)
  }
}

function inUse(folder: string, writer: Writer): HalfstepError {
  const { pid, host } = writer
  const here = host === thisHost()
  const where = here ? '' : ` on the computer ${host}`
  const nextStep = here
    ? 'Pause it there or wait until it has finished, or choose another folder.'
    : `Pause it there or wait until it has finished; if it no longer runs, delete ${join(folder, nameOf(writer))}.`
  return new HalfstepError('run.in-use', `${folder} is being trained by process ${pid}${where}.`, nextStep, { folder, pid, host })
}
