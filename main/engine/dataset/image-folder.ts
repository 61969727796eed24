/** A folder of pictures with their captions, as people collect them. */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { wordsForDiskFault } from '../disk-fault.ts'
import { HalfstepError, toErrorValue } from '../errors.ts'
import { MOST_CAPTION_BYTES, parseCaption } from './caption-file.ts'
import { inspectPicture, type PictureSize } from '../pictures/picture-file.ts'
import { MOST_BYTES } from '../pictures/untrusted-picture.ts'

/** A picture that can be read, standing upright. */
export interface CaptionedPicture extends PictureSize {
  readonly path: string
  /** Of the file, without the folder. */
  readonly name: string
  readonly caption: string
  /** SHA-256 of the file. */
  readonly fingerprint: string
}

/** What is left out, and why, as one sentence. */
export interface SkippedFile {
  readonly name: string
  readonly reason: string
}

export interface ImageFolder {
  readonly path: string
  /** By name. */
  readonly pictures: readonly CaptionedPicture[]
  readonly skipped: readonly SkippedFile[]
}

const READ = new Set(['.png', '.jpg', '.jpeg', '.webp'])
const CAPTION = '.txt'
/** Formats that people would expect to count, so that leaving them out must be said. */
const OTHERS = new Set([
  '.gif', '.tif', '.tiff', '.svg', '.bmp', '.avif', '.heic', '.heif', '.jxl', '.jp2', '.psd', '.ico',
  '.raw', '.dng', '.cr2', '.nef', '.arw',
])

/**
 * Reads what pictures a folder holds, each with the text of the .txt file of the same name. Every file is decoded once; one that
 * cannot be used is skipped by name, and the rest goes on. Files that are no pictures by their names do not count.
 * @param fallback caption of pictures that have none
 * Throws `file.missing` or `file.unreadable` for the folder itself.
 */
export async function readImageFolder(path: string, fallback = ''): Promise<ImageFolder> {
  const names = await namesIn(path)
  const captions = new Map(names.filter((name) => extensionOf(name) === CAPTION).map((name) => [stemOf(name), name]))
  const pictures: CaptionedPicture[] = []
  const skipped: SkippedFile[] = []
  for (const name of names) {
    try {
      const picture = await pictureAt(path, name, captions.get(stemOf(name)), fallback)
      if (picture !== undefined) pictures.push(picture)
    } catch (error) {
      skipped.push({ name, reason: reasonOf(error) })
    }
  }
  return { path, pictures, skipped }
}

/** The names of a folder's files that its pictures and captions are read from, whether or not they can be. Throws as `readImageFolder`. */
export async function imageFolderFiles(path: string): Promise<string[]> {
  const names = (await namesIn(path)).filter((name) => READ.has(extensionOf(name)) || extensionOf(name) === CAPTION)
  const facts = await Promise.all(names.map((name) => stat(join(path, name)).catch(() => undefined)))
  return names.filter((_, i) => facts[i]?.isFile())
}

/** Undefined for what is no picture by its name. */
async function pictureAt(
  folder: string,
  name: string,
  captionFile: string | undefined,
  fallback: string,
): Promise<CaptionedPicture | undefined> {
  const path = join(folder, name)
  const extension = extensionOf(name)
  const facts = await stat(path)
  if (facts.isDirectory()) throw unreadable(`${name} is a folder, and folders inside are not looked into.`)
  if (OTHERS.has(extension)) throw unreadable(`${name} is neither a PNG, nor a JPEG, nor a WebP picture.`)
  if (!READ.has(extension)) return undefined
  if (!facts.isFile()) throw unreadable(`${name} is no ordinary file.`)
  if (facts.size > MOST_BYTES) throw unreadable(`${name} is larger than ${MOST_BYTES / 2 ** 20} MiB.`)
  const bytes = await readFile(path)
  const size = await inspectPicture(bytes, name)
  const caption = captionFile === undefined ? fallback : await captionAt(folder, captionFile)
  const fingerprint = createHash('sha256').update(bytes).digest('hex')
  return { path, name, caption, fingerprint, width: size.width, height: size.height }
}

async function captionAt(folder: string, name: string): Promise<string> {
  const path = join(folder, name)
  const { size } = await stat(path)
  if (size > MOST_CAPTION_BYTES) throw unreadable(`Its caption ${name} is too long.`)
  return parseCaption(await readFile(path), `Its caption ${name}`)
}

/** In the order of their code units, which is the same on every machine. Hidden files, such as editors leave behind, do not count. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !name.startsWith('.')).sort()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new HalfstepError('file.missing', `There is no folder ${path}.`, 'Check the path.', { file: path })
    const fault = code === 'ENOTDIR' ? 'is not a folder' : `cannot be read: ${wordsForDiskFault(error)}`
    throw new HalfstepError('file.unreadable', `${path} ${fault}.`, 'Choose a folder of pictures.', { file: path })
  }
}

function extensionOf(name: string): string {
  return extname(name).toLowerCase()
}

function stemOf(name: string): string {
  return name.slice(0, name.length - extname(name).length)
}

function reasonOf(error: unknown): string {
  return toErrorValue(error).message
}

function unreadable(message: string): HalfstepError {
  return new HalfstepError('file.unreadable', message)
}
