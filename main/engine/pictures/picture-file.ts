/** Pictures from files that people collect: PNG, JPEG and WebP, whatever is in them. */
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { decoding, pictureFormat, pictureReader, stillSize } from './untrusted-picture.ts'

/** In pixels. */
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** Small enough to be quick, and still made from every byte. */
const PROOF: PictureSize = { width: 16, height: 16 }

/**
 * Size of a picture when it stands upright. The whole file is decoded once, so that what passes here can be decoded.
 * @param name of the file, for messages
 * Throws `picture.malformed` for everything but a complete, still picture in one of the three formats.
 */
export async function inspectPicture(bytes: Uint8Array, name: string): Promise<PictureSize> {
  pictureFormat(bytes, name)
  return decoding(name, async () => {
    const size = await stillSize(bytes, name)
    await pixels(bytes, PROOF)
    return size
  })
}

/**
 * A picture upright in a size, RGB [1, 3, height, width] in [0, 1]: scaled alike on both sides until it covers the size, the middle
 * kept. Colours are converted to sRGB by the file's own profile, what is transparent shows white behind it.
 * Throws `picture.malformed`.
 */
export async function decodePicture(bytes: Uint8Array, size: PictureSize, name: string): Promise<FloatTensor> {
  pictureFormat(bytes, name)
  const interleaved = await decoding(name, () => pixels(bytes, size))
  const count = size.width * size.height
  const planes = Float32Array.from({ length: 3 * count }, (_, i) => interleaved[(i % count) * 3 + Math.floor(i / count)]! / 255)
  return float32([1, 3, size.height, size.width], planes)
}

/** Bytes, pixel by pixel. */
async function pixels(bytes: Uint8Array, { width, height }: PictureSize): Promise<Uint8Array> {
  const upright = pictureReader(bytes).autoOrient().flatten({ background: 'white' })
  return upright.resize(width, height, { fit: 'cover', position: 'centre' }).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer()
}
