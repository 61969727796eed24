/** Which addresses below `/library/` pages may ask for, and the files that answer them. The decision is the same for every host. */
import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'

export const LIBRARY_PREFIX = '/library/'

/** A file's name inside the library: no separators, no leading dot, nothing that needs escaping in an address. */
const NAME = '[A-Za-z0-9][A-Za-z0-9_-]*'

/** Everything a page may see of the library folder. The database, checkpoints and all else are not served. */
const SERVED: readonly { readonly pattern: RegExp; readonly contentType: string }[] = [
  { pattern: new RegExp(`^pictures/${NAME}\\.png$`), contentType: 'image/png' },
  { pattern: new RegExp(`^pictures/${NAME}\\.jpg$`), contentType: 'image/jpeg' },
  { pattern: new RegExp(`^pictures/${NAME}\\.webp$`), contentType: 'image/webp' },
  { pattern: new RegExp(`^thumbnails/${NAME}\\.webp$`), contentType: 'image/webp' },
  { pattern: new RegExp(`^runs/${NAME}/samples/${NAME}\\.png$`), contentType: 'image/png' },
  { pattern: new RegExp(`^(adapters|exports)/${NAME}\\.safetensors$`), contentType: 'application/octet-stream' },
]

/** A file of the library that may be served. */
export interface ServedFile {
  /** Absolute. */
  readonly path: string
  readonly contentType: string
}

/** The address of a file inside the library folder. @param file relative, with forward slashes */
export function libraryUrl(file: string): string {
  return LIBRARY_PREFIX + file
}

/**
 * What an address path (`/library/pictures/….png`, without query) stands for; undefined for everything that is not a library file
 * by its name. Nothing is decoded: an address with an escape is none of ours. Does not look at the disk.
 */
export function libraryFileFor(pathname: string, folder: string): ServedFile | undefined {
  if (!pathname.startsWith(LIBRARY_PREFIX)) return undefined
  const file = pathname.slice(LIBRARY_PREFIX.length)
  const served = SERVED.find(({ pattern }) => pattern.test(file))
  return served && { path: join(folder, ...file.split('/')), contentType: served.contentType }
}

/** The same, with symbolic links followed: undefined also when there is no such file, or a link leads out of the library. */
export async function findLibraryFile(pathname: string, folder: string): Promise<ServedFile | undefined> {
  const served = libraryFileFor(pathname, folder)
  if (served === undefined) return undefined
  try {
    const [path, root] = await Promise.all([realpath(served.path), realpath(folder)])
    return path.startsWith(root.endsWith(sep) ? root : root + sep) ? { ...served, path } : undefined
  } catch {
    return undefined
  }
}
