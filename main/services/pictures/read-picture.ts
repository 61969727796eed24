/** What is learned of a picture file before it is kept: that all of it can be decoded, its size, its look, and a small copy. */
import sharp, { type Sharp } from 'sharp'
import { HalfstepError } from '../../engine/errors.ts'

/** More than the largest cameras have; what claims more is meant to exhaust the memory. */
const MOST_PIXELS = 2 ** 27
export const MOST_BYTES = 2 ** 28

/** Longer side of a thumbnail in pixels: sharp in a grid on dense screens. */
const THUMBNAIL_SIDE = 320

export type PictureFormat = 'png' | 'jpg' | 'webp'

export interface PictureFacts {
  readonly format: PictureFormat
  /** Of the upright picture, in pixels. */
  readonly width: number
  readonly height: number
  /** 64 bits in hexadecimal digits. */
  readonly perceptualHash: string
  /** WebP. */
  readonly thumbnail: Uint8Array
}

/**
 * Looks into a picture. The whole file is decoded, so that what passes here can be used later.
 * @param name of the file, for messages
 * Throws `picture.malformed` for everything but a complete, still PNG, JPEG or WebP picture.
 */
export async function readPictureFacts(bytes: Uint8Array, name: string): Promise<PictureFacts> {
  const format = formatOf(bytes, name)
  try {
    const { autoOrient, pages = 1 } = await reader(bytes).metadata()
    if (pages > 1) throw malformed(`${name} is animated.`, 'Save the frame that is wanted as a picture of its own.')
    const upright = reader(bytes).autoOrient().flatten({ background: 'white' }).toColourspace('srgb')
    const box = { width: THUMBNAIL_SIDE, height: THUMBNAIL_SIDE, fit: 'inside', withoutEnlargement: true } as const
    const thumbnail = await upright.resize(box).webp({ quality: 82 }).toBuffer()
    return { format, width: autoOrient.width, height: autoOrient.height, perceptualHash: await differenceHash(thumbnail), thumbnail }
  } catch (error) {
    throw asPictureError(error, name)
  }
}

/**
 * 64 bits that change little when a picture is scaled, compressed or slightly edited: whether each of 8 × 8 places is brighter than
 * the one to its right (Krawetz, "Kind of Like That", 2013).
 */
async function differenceHash(picture: Uint8Array): Promise<string> {
  const grey = await reader(picture).greyscale().resize(9, 8, { fit: 'fill' }).raw().toBuffer()
  let hash = 0n
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 8; column++) {
      const place = row * 9 + column
      hash = (hash << 1n) | (grey[place]! > grey[place + 1]! ? 1n : 0n)
    }
  }
  return hash.toString(16).padStart(16, '0')
}

/** How many bits of two hashes differ, 0 to 64. */
export function hashDistance(a: string, b: string): number {
  let difference = BigInt(`0x${a}`) ^ BigInt(`0x${b}`)
  let bits = 0
  for (; difference > 0n; difference &= difference - 1n) bits++
  return bits
}

function reader(bytes: Uint8Array): Sharp {
  return sharp(bytes, { failOn: 'error', limitInputPixels: MOST_PIXELS })
}

/** By the first bytes, whatever the file is called: decoders of other formats are never started. */
function formatOf(bytes: Uint8Array, name: string): PictureFormat {
  if (bytes.length === 0) throw malformed(`${name} is empty.`, 'Copy it again from where it came from.')
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpg'
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'webp'
  throw malformed(`${name} is neither a PNG, nor a JPEG, nor a WebP picture.`, 'Save it as one of these.')
}

/** Every complaint of the decoders as one that names the file; their own words for it are among its details. */
function asPictureError(error: unknown, name: string): HalfstepError {
  if (error instanceof HalfstepError) return error
  const cause = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  return /pixel limit/.test(cause)
    ? malformed(`${name} claims more than ${MOST_PIXELS.toLocaleString('en')} pixels.`, 'Scale it down.')
    : malformed(`${name} is damaged or ends too early.`, 'Copy it again from where it came from.', { decoder: cause })
}

function malformed(message: string, nextStep: string, details: Readonly<Record<string, string>> = {}): HalfstepError {
  return new HalfstepError('picture.malformed', message, nextStep, details)
}
