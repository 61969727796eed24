import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { z } from 'zod'
import { HalfstepError } from '../../engine/errors.ts'
import { copyDatabase } from '../../store/check-database.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { lockLibrary } from '../../store/library-lock.ts'
import { exists, unwritable } from '../content-files.ts'
import { databasePath, lockPath } from '../library-folder.ts'
import type { Task } from '../tasks.ts'
import { LIBRARY_FOLDERS, TASTES } from './library-listing.ts'

const COPIED = [...LIBRARY_FOLDERS, TASTES] as const

/** Written last: a backup without it was never finished. */
const MARK = 'halfstep-backup.json'
const Mark = z.strictObject({ format: z.literal(1), madeAt: z.string() })

/**
 * Copies the library into a new folder, while it stays in use: the database as of one moment, then the files.
 * @param target a folder that is empty or not there yet
 * Throws `file.exists`, `usage` for a place inside the library, `file.unwritable` and `cancelled`; what was copied by then is removed.
 */
export async function backupLibrary(database: LibraryDatabase, libraryFolder: string, target: string, task: Task): Promise<void> {
  const folder = resolve(target)
  await refuseTarget(folder, libraryFolder)
  try {
    await mkdir(folder, { recursive: true })
    task.progress(0, COPIED.length + 1, 'database')
    copyDatabase(database, databasePath(folder))
    for (const [done, theme] of COPIED.entries()) {
      task.check()
      task.progress(done + 1, COPIED.length + 1, theme)
      const source = join(libraryFolder, theme)
      if (await exists(source)) await cp(source, join(folder, theme), { recursive: true, filter: () => !task.signal.aborted })
    }
    task.check()
    await writeFile(join(folder, MARK), JSON.stringify({ format: 1, madeAt: new Date().toISOString() }))
  } catch (error) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    throw error instanceof HalfstepError ? error : unwritable(folder, error)
  }
}

async function refuseTarget(folder: string, libraryFolder: string): Promise<void> {
  if (`${folder}${sep}`.startsWith(`${resolve(libraryFolder)}${sep}`)) {
    throw new HalfstepError('usage', `${folder} lies inside the library itself.`, 'Choose a folder elsewhere, best on another disk.')
  }
  const names = await readdir(folder).catch(() => [])
  if (names.length > 0) throw new HalfstepError('file.exists', `${folder} is not empty.`, 'Choose a new folder.', { folder })
}

/**
 * Puts a backup in the place of the library, which must not be in use. The library there was is moved aside, never deleted.
 * @returns where it was moved; null when there was none
 * Throws `library.damaged` for a folder that is no finished backup, and `file.unwritable`.
 */
export async function restoreLibrary(backup: string, libraryFolder: string, task: Task): Promise<string | null> {
  const source = resolve(backup)
  const mark = await readFile(join(source, MARK), 'utf8').then((text) => Mark.safeParse(JSON.parse(text)), () => undefined)
  if (mark?.success !== true) {
    const nextStep = 'Choose a folder that `halfstep library backup` made.'
    throw new HalfstepError('library.damaged', `${source} is no finished backup of a library.`, nextStep, { folder: source })
  }
  refuseUsed(libraryFolder)
  const temporary = `${libraryFolder}.restoring`
  const aside = `${libraryFolder}.before-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  try {
    await rm(temporary, { recursive: true, force: true })
    task.progress(0, null, source)
    await cp(source, temporary, { recursive: true, filter: () => !task.signal.aborted })
    task.check()
    await rm(join(temporary, MARK))
    const had = await exists(libraryFolder)
    if (had) await rename(libraryFolder, aside)
    await rename(temporary, libraryFolder)
    return had ? aside : null
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    throw error instanceof HalfstepError ? error : unwritable(libraryFolder, error)
  }
}

/** Throws `store.locked` while a Halfstep has the library. */
function refuseUsed(libraryFolder: string): void {
  if (existsSync(libraryFolder)) lockLibrary(lockPath(libraryFolder)).release()
}
