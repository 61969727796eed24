import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { HalfstepError } from '../engine/errors.ts'

/** What decides where the library lies; given explicitly so that every platform can be tested on any other. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
}

const HERE: Surroundings = { platform: process.platform, home: homedir(), env: process.env }

/**
 * The folder that holds the library: `HALFSTEP_HOME` when set, else the platform's place for application data
 * (`%LOCALAPPDATA%`, `~/Library/Application Support`, `$XDG_DATA_HOME` or `~/.local/share`).
 */
export function libraryFolder({ platform, home, env }: Surroundings = HERE): string {
  if (env.HALFSTEP_HOME) return resolve(env.HALFSTEP_HOME)
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'Halfstep')
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Halfstep')
  return join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'halfstep')
}

/** The library's database file. */
export function databasePath(folder: string): string {
  return join(folder, 'library.sqlite')
}

/** Creates the library folder where it does not exist and returns it. Throws `file.unwritable` when that is not possible. */
export function ensureLibraryFolder(folder: string = libraryFolder()): string {
  try {
    mkdirSync(folder, { recursive: true })
    return folder
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown.message : String(thrown)
    throw new HalfstepError(
      'file.unwritable',
      `The library folder ${folder} cannot be created: ${cause}.`,
      'Set HALFSTEP_HOME to a folder that you can write to.',
      { path: folder },
    )
  }
}
