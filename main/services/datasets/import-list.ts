/** Which files are meant when people drop files and folders. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { unreadable } from '../content-files.ts'

/** A picture file to be looked into. */
export interface ImportedFile {
  readonly folder: string
  readonly name: string
}

/** Something that is not taken, and why, as one sentence. */
export interface SkippedFile {
  readonly name: string
  readonly reason: string
}

export interface ImportList {
  readonly files: ImportedFile[]
  readonly skipped: SkippedFile[]
}

const READ = new Set(['.png', '.jpg', '.jpeg', '.webp'])
/** Formats that people would expect to count, so that leaving them out must be said. */
const OTHERS = new Set([
  '.gif', '.tif', '.tiff', '.svg', '.bmp', '.avif', '.heic', '.heif', '.jxl', '.jp2', '.psd', '.raw', '.dng', '.cr2', '.nef', '.arw',
])

/**
 * The pictures among files and in folders, folders inside folders included, by name. Hidden files, such as editors leave behind,
 * do not count, and neither does what is no picture by its name.
 * Throws `file.missing` and `file.unreadable` for the paths themselves.
 */
export async function filesToImport(paths: readonly string[]): Promise<ImportList> {
  const found: ImportList = { files: [], skipped: [] }
  for (const path of paths.map((path) => resolve(path))) {
    const facts = await stat(path).catch((error: unknown) => {
      throw unreadable(path, error)
    })
    if (facts.isDirectory()) await look(path, found)
    else sort(dirname(path), basename(path), found)
  }
  return found
}

async function look(folder: string, found: ImportList): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder, error)
  })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    // Links are not followed: they may lead round in circles.
    if (entry.isDirectory()) await look(join(folder, entry.name), found)
    else if (entry.isFile()) sort(folder, entry.name, found)
  }
}

function sort(folder: string, name: string, { files, skipped }: ImportList): void {
  const ending = extname(name).toLowerCase()
  if (READ.has(ending)) files.push({ folder, name })
  else if (OTHERS.has(ending)) skipped.push({ name, reason: `${name} is neither a PNG, nor a JPEG, nor a WebP picture.` })
}
