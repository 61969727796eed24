/** What holds for every picture file that people bring: the three formats, the limits, and complaints that name the file. */
import sharp, { type Sharp } from 'sharp'
import { HalfstepError } from '../errors.ts'

/** More than the largest cameras have; what claims more is meant to exhaust the memory. */
export const MOST_PIXELS = 2 ** 27
export const MOST_BYTES = 2 ** 28

export type PictureFormat = 'png' | 'jpg' | 'webp'

/**
 * By the first bytes, whatever the file is called: decoders of other formats are never started.
 * @param name of the file, for messages
 * Throws `picture.malformed`.
 */
export function pictureFormat(bytes: Uint8Array, name: string): PictureFormat {
  if (bytes.length === 0) throw malformed(`${name} is empty.`, 'Copy it again from where it came from.')
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpg'
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'webp'
  throw malformed(`${name} is neither a PNG, nor a JPEG, nor a WebP picture.`, 'Save it as one of these.')
}

/** A decoder that stops at the first fault and at what is too large. */
export function pictureReader(bytes: Uint8Array): Sharp {
  return sharp(bytes, { failOn: 'error', limitInputPixels: MOST_PIXELS })
}

/** Size of a picture when it stands upright, from its header. Throws `picture.malformed` for one that moves. */
export async function stillSize(bytes: Uint8Array, name: string): Promise<{ readonly width: number; readonly height: number }> {
  const { autoOrient, pages = 1 } = await pictureReader(bytes).metadata()
  if (pages > 1) throw malformed(`${name} is animated.`, 'Save the frame that is wanted as a picture of its own.')
  return autoOrient
}

/** Turns every complaint of the decoders into `picture.malformed` that names the file; their own words are among its details. */
export async function decoding<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof HalfstepError) throw error
    const cause = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw /pixel limit/.test(cause)
      ? malformed(`${name} claims more than ${MOST_PIXELS.toLocaleString('en')} pixels.`, 'Scale it down.')
      : malformed(`${name} is damaged or ends too early.`, 'Copy it again from where it came from.', { decoder: cause })
  }
}

function malformed(message: string, nextStep: string, details: Readonly<Record<string, string>> = {}): HalfstepError {
  return new HalfstepError('picture.malformed', message, nextStep, details)
}
