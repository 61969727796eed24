/** Captions: the text that lies beside a picture. */
import { HalfstepError } from '../errors.ts'

/** Far more than a text encoder reads. */
export const MOST_CAPTION_BYTES = 2 ** 16

/**
 * The text of a caption file in one line, without spaces at its ends. UTF-8, or UTF-16 where a byte order mark says so, as some
 * editors write. Throws `file.unreadable` for anything else.
 */
export function parseCaption(bytes: Uint8Array, name: string): string {
  if (bytes.length > MOST_CAPTION_BYTES) throw unreadable(`${name} is too long for a caption`)
  const [first, second] = bytes
  const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes).replace(/\s+/g, ' ').trim()
  } catch {
    throw unreadable(`${name} is not text in UTF-8`)
  }
}

function unreadable(fault: string): HalfstepError {
  return new HalfstepError('file.unreadable', `${fault}.`, 'Save the caption as plain text in UTF-8.')
}
