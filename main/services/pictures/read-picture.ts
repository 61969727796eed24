/** What is learned of a picture file before it is kept: that all of it can be decoded, its size, its look, and a small copy. */
import { decoding, pictureFormat, pictureReader, stillSize, type PictureFormat } from '../../engine/pictures/untrusted-picture.ts'

/** Longer side of a thumbnail in pixels: sharp in a grid on dense screens. */
const THUMBNAIL_SIDE = 320

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
  const format = pictureFormat(bytes, name)
  return decoding(name, async () => {
    const { width, height } = await stillSize(bytes, name)
    const upright = pictureReader(bytes).autoOrient().flatten({ background: 'white' }).toColourspace('srgb')
    const box = { width: THUMBNAIL_SIDE, height: THUMBNAIL_SIDE, fit: 'inside', withoutEnlargement: true } as const
    const thumbnail = await upright.resize(box).webp({ quality: 82 }).toBuffer()
    return { format, width, height, perceptualHash: await differenceHash(thumbnail), thumbnail }
  })
}

/**
 * 64 bits that change little when a picture is scaled, compressed or slightly edited: whether each of 8 × 8 places is brighter than
 * the one to its right (Krawetz, "Kind of Like That", 2013).
 */
async function differenceHash(picture: Uint8Array): Promise<string> {
  const grey = await pictureReader(picture).greyscale().resize(9, 8, { fit: 'fill' }).raw().toBuffer()
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
