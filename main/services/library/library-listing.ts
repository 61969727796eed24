/** What lies in the library folder, by themes. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { unreadable } from '../content-files.ts'

/** The folders of the library that hold what the database speaks of. */
export const LIBRARY_FOLDERS = ['pictures', 'thumbnails', 'adapters', 'runs', 'datasets'] as const

/** The folder of what tastes learned: every file is named by its content, and a run may still need what no reward names any more. */
export const TASTES = 'tastes'

/** Names in a folder of the library, sorted; none when the folder is not there. Throws `file.unreadable`. */
export async function namesIn(libraryFolder: string, folder: string): Promise<string[]> {
  try {
    return (await readdir(join(libraryFolder, ...folder.split('/')))).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw unreadable(join(libraryFolder, folder), error)
  }
}

/** What a crash leaves of a file that was being written. */
export function isLeftover(name: string): boolean {
  return /^\..+\.tmp$/.test(name) || name.endsWith('.tmp')
}
