import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { wordsForDiskFault } from '../engine/disk-fault.ts'
import { HalfstepError } from '../engine/errors.ts'

/** What decides where the library lies; given explicitly so that every platform can be tested on any other. */
export interface Surroundings {
  readonly platform: NodeJS.Platform
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
}

const HERE: Surroundings = { platform: process.platform, home: homedir(), env: process.env }

/** In the platform's place for application data: the path of a library that lies elsewhere. */
const SIGNPOST = 'library-folder.txt'

/**
 * The folder that holds the library: `HALFSTEP_HOME` when set, else the one that the person chose, else the platform's place for
 * application data (`%LOCALAPPDATA%`, `~/Library/Application Support`, `$XDG_DATA_HOME` or `~/.local/share`).
 */
export function libraryFolder(surroundings: Surroundings = HERE): string {
  const { HALFSTEP_HOME } = surroundings.env
  if (HALFSTEP_HOME) return resolve(HALFSTEP_HOME)
  const usual = usualFolder(surroundings)
  return chosenFolder(usual) ?? usual
}

/** What the person chose; undefined where nothing was. */
function chosenFolder(usual: string): string | undefined {
  try {
    const chosen = readFileSync(join(usual, SIGNPOST), 'utf8').trim()
    return isAbsolute(chosen) ? chosen : undefined
  } catch {
    return undefined
  }
}

/**
 * Makes a folder the library's from the next start on; what is in the present one stays there. Returns it as an absolute path.
 * Throws `usage` while HALFSTEP_HOME decides, and `file.unwritable`.
 */
export function useLibraryFolder(folder: string, surroundings: Surroundings = HERE): string {
  if (surroundings.env.HALFSTEP_HOME) {
    throw new HalfstepError('usage', 'HALFSTEP_HOME decides where the library lies.', 'Start Halfstep without it to choose a folder here.')
  }
  const chosen = ensureLibraryFolder(resolve(folder))
  const signpost = join(ensureLibraryFolder(usualFolder(surroundings)), SIGNPOST)
  try {
    writeFileSync(signpost, `${chosen}\n`)
  } catch (thrown) {
    const nextStep = 'Check the permissions of its folder.'
    throw new HalfstepError('file.unwritable', `${signpost} cannot be written: ${wordsForDiskFault(thrown)}.`, nextStep, { path: signpost })
  }
  return chosen
}

function usualFolder({ platform, home, env }: Surroundings): string {
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'Halfstep')
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Halfstep')
  return join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'halfstep')
}

/** The library's database file. */
export function databasePath(folder: string): string {
  return join(folder, 'library.sqlite')
}

/** The file whose lock says that a Halfstep has the library. */
export function lockPath(folder: string): string {
  return join(folder, 'library.lock')
}

/** Creates the library folder where it does not exist and returns it. Throws `file.unwritable` when that is not possible. */
export function ensureLibraryFolder(folder: string = libraryFolder()): string {
  try {
    mkdirSync(folder, { recursive: true })
    return folder
  } catch (thrown) {
    const cause = wordsForDiskFault(thrown)
    throw new HalfstepError(
      'file.unwritable',
      `The library folder ${folder} cannot be created: ${cause}.`,
      'Set HALFSTEP_HOME to a folder that you can write to.',
      { path: folder },
    )
  }
}
