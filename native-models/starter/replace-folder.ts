import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isSystemError, unwritable } from '../weights/replace-file.ts'

/**
 * Puts a new folder in the place of `path`: it is filled beside its final place and renamed to it, so that what stands under the
 * name is always the whole old or the whole new folder. A folder that was there is removed at the very end.
 *
 * Throws `file.unwritable` when the disk refuses, and whatever `fill` throws; the earlier folder is unchanged then.
 * @param fill writes into an empty folder
 */
export async function replaceFolder(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const final = resolve(path)
  const beside = join(dirname(final), `.${basename(final)}.${randomBytes(6).toString('hex')}`)
  const [fresh, former] = [`${beside}.tmp`, `${beside}.old`]
  try {
    await mkdir(fresh, { recursive: true })
    await fill(fresh)
    const replaces = await exists(final)
    if (replaces) await rename(final, former)
    try {
      await rename(fresh, final)
    } catch (error) {
      if (replaces) await rename(former, final)
      throw error
    }
    await rm(former, { recursive: true, force: true })
  } catch (error) {
    // The first failure is the one to tell of; a leftover is hidden by its name and harmless.
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined)
    throw isSystemError(error) ? unwritable(final, error) : error
  }
}

async function exists(folder: string): Promise<boolean> {
  try {
    await readdir(folder)
    return true
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return false
    throw error
  }
}
