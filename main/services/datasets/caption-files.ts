/** Captions as other programs keep them: a .txt file of the same name beside the picture. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import { unwritable } from '../content-files.ts'

/** Far more than a text encoder reads. */
export const MOST_CAPTION_BYTES = 2 ** 16

/** A file's name without its ending. */
export function stemOf(name: string): string {
  return name.slice(0, name.length - extname(name).length)
}

/** The caption beside a picture in one line; undefined where there is none. Throws `file.unreadable` for what is no text. */
export async function readCaptionBeside(folder: string, name: string): Promise<string | undefined> {
  const file = `${stemOf(name)}.txt`
  const path = join(folder, file)
  const facts = await stat(path).catch(() => undefined)
  if (facts === undefined) return undefined
  if (!facts.isFile() || facts.size > MOST_CAPTION_BYTES) throw unreadable(`The caption ${file} is too long`)
  return captionOf(await readFile(path), file)
}

/** UTF-8, or UTF-16 where a byte order mark says so, as some editors write. */
function captionOf(bytes: Uint8Array, name: string): string {
  const [first, second] = bytes
  const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return oneLine(new TextDecoder(encoding, { fatal: true }).decode(bytes))
  } catch {
    throw unreadable(`The caption ${name} is not text in UTF-8`)
  }
}

/** Captions are read as one line by every trainer. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** Writes a caption file, in the place of one that is there. Throws `file.unwritable`. */
export async function writeCaption(folder: string, stem: string, caption: string): Promise<void> {
  const path = join(folder, `${stem}.txt`)
  await writeFile(path, `${caption}\n`).catch((error: unknown) => {
    throw unwritable(path, error)
  })
}

function unreadable(fault: string): HalfstepError {
  return new HalfstepError('file.unreadable', `${fault}.`, 'Save the caption as plain text in UTF-8.')
}
