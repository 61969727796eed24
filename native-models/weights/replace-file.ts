import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { wordsForDiskFault } from '../../main/engine/disk-fault.ts'
import { HalfstepError } from '../../main/engine/errors.ts'

/** An open file or folder. */
export interface OpenFile {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>
  /** Resolves when what was written has reached the disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** What replacing a file asks of the operating system; a parameter, so that each operation can be made to fail. */
export interface ReplacingFileSystem {
  /** @param flags as of fopen(3): `wx` makes a new file, `a` appends, `r` reads or opens a folder */
  open(path: string, flags: 'wx' | 'a' | 'r'): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  /** Removes a file; nothing when there is none. */
  remove(path: string): Promise<void>
}

export const systemFiles: ReplacingFileSystem = { open, rename, remove: (path) => rm(path, { force: true }) }

/**
 * Puts a new file in the place of `path`, which is complete and durable afterwards, or as it was before: the file is written
 * beside its final place, flushed, renamed over it, and the folder flushed.
 *
 * Throws `file.unwritable` when the disk refuses, and whatever `write` throws.
 */
export async function replaceFile(
  path: string,
  write: (file: OpenFile) => Promise<void>,
  files: ReplacingFileSystem = systemFiles,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await files.open(temporary, 'wx')
    try {
      await write(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await renameOver(temporary, path, files)
    await syncFolder(dirname(path), files)
  } catch (error) {
    // The first failure is the one to tell of; a leftover is hidden by its name and harmless.
    await files.remove(temporary).catch(() => undefined)
    throw isSystemError(error) ? unwritable(path, error) : error
  }
}

/** Writes all of `bytes`, in writes that every platform allows. */
export async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, done, Math.min(bytes.byteLength - done, MAX_WRITE_BYTES))
    done += bytesWritten
  }
}

const MAX_WRITE_BYTES = 2 ** 30

/** The error for a file that the disk refuses to take. */
export function unwritable(path: string, cause: Error): HalfstepError {
  const nextStep = 'Make room on the disk or choose another folder, and try again; the earlier file, if any, is unchanged.'
  return new HalfstepError('file.unwritable', `${path} cannot be written: ${wordsForDiskFault(cause)}.`, nextStep, { file: path })
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

/** On Windows a virus scanner may hold a new file for a while: try for up to a minute. */
async function renameOver(from: string, to: string, files: ReplacingFileSystem): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      return await files.rename(from, to)
    } catch (error) {
      if (process.platform !== 'win32' || Date.now() > deadline) throw error
      await wait(200)
    }
  }
}

/** Makes the rename itself durable. Windows has no way to, and needs none. */
async function syncFolder(folder: string, files: ReplacingFileSystem): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await files.open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
