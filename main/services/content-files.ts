/** Files named by what is in them: the same content is one file, and a name proves its file. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { wordsForDiskFault } from '../engine/disk-fault.ts'
import { HalfstepError } from '../engine/errors.ts'

/** SHA-256 of bytes, in hexadecimal digits. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** SHA-256 of a file, read piece by piece. Throws `file.unreadable`. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (error) {
    throw unreadable(path, error)
  }
  return hash.digest('hex')
}

/** Puts a file with these bytes there, complete or not at all; nothing when one of that name is there. Throws `file.unwritable`. */
export function keepBytes(path: string, bytes: Uint8Array): Promise<void> {
  return keep(path, async (temporary) => {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
  })
}

/** Puts a copy of a file there, complete or not at all; nothing when one of that name is there. Throws `file.unwritable`. */
export function keepCopy(path: string, source: string): Promise<void> {
  return keep(path, async (temporary) => {
    await copyFile(source, temporary)
    const file = await open(temporary, 'r+')
    await file.sync().finally(() => file.close())
  })
}

async function keep(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  if (await exists(path)) return
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await mkdir(dirname(path), { recursive: true })
    await write(temporary)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    // Another import of the same content may have been quicker, which Windows takes for a fault.
    if (!(await exists(path))) throw unwritable(path, error)
  }
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false)
}

/** The error for a file that the disk refuses to take. */
export function unwritable(path: string, cause: unknown): HalfstepError {
  const nextStep = 'Make room on the disk, or choose another folder, and try again.'
  return new HalfstepError('file.unwritable', `${path} cannot be written: ${wordsForDiskFault(cause)}.`, nextStep, { file: path })
}

/** The error for a file that the disk refuses to give. */
export function unreadable(path: string, cause: unknown): HalfstepError {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
    const nextStep = 'Check the path, and that its disk is connected.'
    return new HalfstepError('file.missing', `There is nothing at ${path}.`, nextStep, { file: path })
  }
  const nextStep = 'Check the permissions and the disk.'
  return new HalfstepError('file.unreadable', `${path} cannot be read: ${wordsForDiskFault(cause)}.`, nextStep, { file: path })
}
