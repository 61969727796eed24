import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readAt, withFile } from '../../../native-models/weights/file-bytes.ts'

/** As much of a file as its header fills in practice; the size covers what comes after well enough to notice another version. */
const LOOKED_AT = 2 ** 20

/**
 * What a file, or a folder with all that is in it, is: SHA-256 over names, sizes and the first megabyte of every file.
 * Throws `file.missing` or `file.unreadable`.
 */
export async function fingerprint(path: string): Promise<string> {
  return fingerprintOfFiles(path, await filesIn(path))
}

/** The same over some files of a folder only. */
export async function fingerprintOfFiles(folder: string, names: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const name of names) {
    await withFile(join(folder, name), async (handle, bytes) => {
      hash.update(JSON.stringify([name, bytes])).update(await readAt(handle, join(folder, name), 0, Math.min(bytes, LOOKED_AT)))
    })
  }
  return hash.digest('hex')
}

/** Relative paths of all files of a folder in order; for a file, one empty name. Hidden files are none of the model's. */
async function filesIn(path: string): Promise<string[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isFolder) return ['']
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .filter((name) => !name.split(/[/\\]/).some((part) => part.startsWith('.')))
    .sort()
}
