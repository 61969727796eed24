import type { DroppedFile } from '../../bridge/upload.ts'

/** What was dropped: paths where a preload script tells them, else the files themselves. */
export type Drop = { readonly paths: readonly string[] } | { readonly files: readonly DroppedFile[] }

/** What of a file system entry is used, so that tests can make them. */
export interface Entry {
  readonly name: string
  readonly isDirectory: boolean
  file?(found: (file: File) => void, failed: () => void): void
  createReader?(): { readEntries(found: (entries: Entry[]) => void, failed: () => void): void }
}

/** What of a drag's data is used. */
export interface Dragged {
  readonly items: Iterable<{ readonly kind: string; getAsFile(): File | null; webkitGetAsEntry(): Entry | null }>
}

/**
 * Everything that was dropped, files in folders included, without hidden ones. Has to be called while the drop is being handled:
 * afterwards the browser forgets what it was.
 */
export async function readDrop(dragged: Dragged, pathOf?: (file: File) => string): Promise<Drop> {
  const items = [...dragged.items].filter(({ kind }) => kind === 'file')
  if (pathOf) {
    const files = items.map((item) => item.getAsFile()).filter((file) => file !== null)
    return { paths: files.map(pathOf).filter((path) => path !== '') }
  }
  const entries = items.map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  const found = await Promise.all(entries.map((entry) => filesOf(entry, '')))
  return { files: found.flat() }
}

/** What cannot be read is left out: it vanished, or may not be. */
async function filesOf(entry: Entry, around: string): Promise<DroppedFile[]> {
  if (entry.name.startsWith('.')) return []
  const name = around + entry.name
  if (!entry.isDirectory) {
    const file = await new Promise<File | undefined>((resolve) => entry.file?.(resolve, () => resolve(undefined)))
    return file ? [{ name, file }] : []
  }
  const inside = await allEntries(entry)
  const found = await Promise.all(inside.map((one) => filesOf(one, `${name}/`)))
  return found.flat()
}

/** Browsers give a hundred at a time. */
async function allEntries(folder: Entry): Promise<Entry[]> {
  const reader = folder.createReader?.()
  const all: Entry[] = []
  for (;;) {
    const some = await new Promise<Entry[]>((resolve) => reader ? reader.readEntries(resolve, () => resolve([])) : resolve([]))
    if (some.length === 0) return all
    all.push(...some)
  }
}
