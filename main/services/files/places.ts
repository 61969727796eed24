/** Where people keep files: their own folders, the drives of the machine, the library. */
import { readdir, stat } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'

export interface Place {
  readonly name: string
  readonly path: string
}

/** What decides which places there are; given explicitly so that every platform can be tested on any other. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly home: string
  /** Folders whose folders are drives: where the system puts sticks and disks. */
  readonly mounts: readonly string[]
}

/** Those of a home that are worth a place of their own. */
const HOME_FOLDERS = ['Desktop', 'Downloads', 'Pictures']

/** The machine that this is. */
export function thisMachine(): Machine {
  const { platform } = process
  if (platform === 'darwin') return { platform, home: homedir(), mounts: ['/Volumes'] }
  if (platform === 'win32') return { platform, home: homedir(), mounts: [] }
  const { username } = userInfo()
  return { platform, home: homedir(), mounts: [`/media/${username}`, `/run/media/${username}`, '/mnt'] }
}

/** Only places that are there now. */
export async function placesOf(libraryFolder: string, { platform, home, mounts }: Machine = thisMachine()): Promise<Place[]> {
  const own = HOME_FOLDERS.map((name) => ({ name, path: join(home, name) }))
  const drives = platform === 'win32' ? windowsDrives() : [{ name: 'This computer', path: '/' }]
  const mounted = await Promise.all(mounts.map(foldersIn))
  const places = [{ name: 'Home', path: home }, ...own, ...drives, ...mounted.flat(), { name: 'Library', path: libraryFolder }]
  const there = await Promise.all(places.map(({ path }) => isFolder(path)))
  return places.filter((_, index) => there[index])
}

function windowsDrives(): Place[] {
  return Array.from('CDEFGHIJKLMNOPQRSTUVWXYZAB', (letter) => ({ name: `Drive ${letter}:`, path: `${letter}:\\` }))
}

async function foldersIn(folder: string): Promise<Place[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => ({ name, path: join(folder, name) }))
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isDirectory(), () => false)
}
