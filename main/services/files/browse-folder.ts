/** Looking for files on behalf of a page that is told no paths. Reads names and sizes, never what is in a file. */
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import { unreadable } from '../content-files.ts'

export type FileKind = 'folder' | 'safetensors' | 'onnx' | 'picture'

export interface FolderEntry {
  readonly name: string
  readonly path: string
  readonly kind: FileKind
  /** Null for folders. */
  readonly bytes: number | null
}

export interface FolderContent {
  readonly folder: string
  /** Null at the top. */
  readonly parent: string | null
  readonly entries: FolderEntry[]
  /** How many more there are than can be shown. */
  readonly leftOut: number
}

const KINDS: Readonly<Record<string, FileKind>> = {
  '.safetensors': 'safetensors', '.onnx': 'onnx', '.png': 'picture', '.jpg': 'picture', '.jpeg': 'picture', '.webp': 'picture',
}
/** What Windows hides at the top of a drive by attributes that Node does not tell. */
const HIDDEN = new Set(['$RECYCLE.BIN', 'System Volume Information', '$WinREAgent', 'Config.Msi'])
/** As many as a person scrolls through. */
const MOST_ENTRIES = 5000
/** Names as people count: picture 2 before picture 10. */
const BY_NAME = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

/**
 * The folders in a folder, and its files of the wanted kinds. A file stands for the folder it is in.
 * Throws `file.missing` and `file.unreadable`.
 */
export async function browseFolder(path: string, kinds: readonly FileKind[]): Promise<FolderContent> {
  const folder = await folderAt(resolve(path))
  const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder, error)
  })
  const visible = found.filter(({ name }) => !name.startsWith('.') && !HIDDEN.has(name))
  const known = await Promise.all(visible.map((entry) => describe(folder, entry, kinds)))
  const entries = known.filter((entry) => entry !== undefined).sort(foldersFirst)
  const parent = dirname(folder)
  return {
    folder,
    parent: parent === folder ? null : parent,
    entries: entries.slice(0, MOST_ENTRIES),
    leftOut: Math.max(0, entries.length - MOST_ENTRIES),
  }
}

async function folderAt(path: string): Promise<string> {
  const facts = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      const nextStep = 'Check the path, and that its disk is connected.'
      throw new HalfstepError('file.missing', `There is no folder ${path}.`, nextStep, { path })
    }
    throw unreadable(path, error)
  })
  return facts.isDirectory() ? path : dirname(path)
}

/** Undefined for what is not wanted, and for what vanished or leads nowhere. */
async function describe(folder: string, entry: Dirent, kinds: readonly FileKind[]): Promise<FolderEntry | undefined> {
  const { name } = entry
  const path = join(folder, name)
  const kind = KINDS[extname(name).toLowerCase()]
  if (entry.isDirectory()) return { name, path, kind: 'folder', bytes: null }
  const wanted = kind !== undefined && kinds.includes(kind)
  if (!wanted && !entry.isSymbolicLink()) return undefined
  const facts = await stat(path).catch(() => undefined)
  if (facts?.isDirectory()) return { name, path, kind: 'folder', bytes: null }
  return facts?.isFile() && wanted ? { name, path, kind, bytes: facts.size } : undefined
}

function foldersFirst(a: FolderEntry, b: FolderEntry): number {
  return Number(a.kind !== 'folder') - Number(b.kind !== 'folder') || BY_NAME.compare(a.name, b.name)
}
