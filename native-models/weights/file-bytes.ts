import { open, stat, type FileHandle } from 'node:fs/promises'
import { wordsForDiskFault } from '../../main/engine/disk-fault.ts'
import { HalfstepError } from '../../main/engine/errors.ts'

/**
 * Opens a file for reading, hands over its size, and closes it.
 * Throws `file.missing` or `file.unreadable`; pipes and devices, on which a read could hang, are refused.
 */
export async function withFile<T>(path: string, use: (handle: FileHandle, bytes: number) => Promise<T>): Promise<T> {
  const handle = await openRegularFile(path)
  try {
    return await use(handle, (await handle.stat()).size)
  } catch (error) {
    throw isSystemError(error) ? unreadable(path, wordsForDiskFault(error)) : error
  } finally {
    await handle.close()
  }
}

async function openRegularFile(path: string): Promise<FileHandle> {
  try {
    if ((await stat(path)).isFile()) return await open(path, 'r')
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') {
      throw new HalfstepError('file.missing', `${path} does not exist.`, 'Check the path, or download the model again.', { file: path })
    }
    throw unreadable(path, wordsForDiskFault(error))
  }
  throw unreadable(path, 'it is not a file')
}

/** Reads exactly these bytes. Throws `file.unreadable` when the file ends before, because it changed since it was checked. */
export async function readAt(handle: FileHandle, path: string, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  await fillFrom(handle, path, position, bytes)
  return bytes
}

/** Fills `bytes` from the file, in reads that every platform allows. */
export async function fillFrom(handle: FileHandle, path: string, position: number, bytes: Uint8Array): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const length = Math.min(bytes.byteLength - done, MAX_READ_BYTES)
    const { bytesRead } = await handle.read(bytes, done, length, position + done)
    if (bytesRead === 0) throw endsEarly(path)
    done += bytesRead
  }
}

const MAX_READ_BYTES = 2 ** 30

function endsEarly(path: string): HalfstepError {
  return unreadable(path, 'it ends before its contents do, so it has changed since it was opened')
}

function unreadable(path: string, cause: string): HalfstepError {
  const nextStep = 'Check the permissions of the file and its disk.'
  return new HalfstepError('file.unreadable', `${path} cannot be read: ${cause}.`, nextStep, { file: path })
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
