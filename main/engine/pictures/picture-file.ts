/** Pictures from files that people collect: PNG, JPEG and WebP, whatever is in them. */
import sharp, { type Sharp } from 'sharp'
import { HalfstepError } from '../errors.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** In pixels. */
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** More than the largest cameras have; what claims more is meant to exhaust the memory. */
export const MOST_PIXELS = 2 ** 27
export const MOST_BYTES = 2 ** 28

/** Small enough to be quick, and still made from every byte. */
const PROOF: PictureSize = { width: 16, height: 16 }

/**
 * Size of a picture when it stands upright. The whole file is decoded once, so that what passes here can be decoded.
 * @param name of the file, for messages
 * Throws `picture.malformed` for everything but a complete, still picture in one of the three formats.
 */
export async function inspectPicture(bytes: Uint8Array, name: string): Promise<PictureSize> {
  refuseOtherFormats(bytes, name)
  return guarded(name, async () => {
    const { autoOrient, pages = 1 } = await reader(bytes).metadata()
    if (pages > 1) throw malformed(`${name} is animated.`, 'Save the frame that is wanted as a picture of its own.')
    await pixels(bytes, PROOF)
    return autoOrient
  })
}

/**
 * A picture upright in a size, RGB [1, 3, height, width] in [0, 1]: scaled alike on both sides until it covers the size, the middle
 * kept. Colours are converted to sRGB by the file's own profile, what is transparent shows white behind it.
 * Throws `picture.malformed`.
 */
export async function decodePicture(bytes: Uint8Array, size: PictureSize, name: string): Promise<FloatTensor> {
  refuseOtherFormats(bytes, name)
  const interleaved = await guarded(name, () => pixels(bytes, size))
  const count = size.width * size.height
  const planes = Float32Array.from({ length: 3 * count }, (_, i) => interleaved[(i % count) * 3 + Math.floor(i / count)]! / 255)
  return float32([1, 3, size.height, size.width], planes)
}

function reader(bytes: Uint8Array): Sharp {
  return sharp(bytes, { failOn: 'error', limitInputPixels: MOST_PIXELS })
}

/** Bytes, pixel by pixel. */
async function pixels(bytes: Uint8Array, { width, height }: PictureSize): Promise<Uint8Array> {
  const upright = reader(bytes).autoOrient().flatten({ background: 'white' })
  return upright.resize(width, height, { fit: 'cover', position: 'centre' }).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer()
}

/** By their first bytes, whatever they are called: decoders of other formats are never started. */
function refuseOtherFormats(bytes: Uint8Array, name: string): void {
  if (bytes.length === 0) throw malformed(`${name} is empty.`, 'Copy it again from where it came from.')
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  const isWebp = head.startsWith('RIFF') && head.endsWith('WEBP')
  const known = isWebp || head.startsWith('\x89PNG\r\n\x1a\n') || head.startsWith('\xff\xd8\xff')
  if (!known) throw malformed(`${name} is neither a PNG, nor a JPEG, nor a WebP picture.`, 'Save it as one of these.')
}

/** Every complaint of the decoders as one that names the file; their own words for it are among its details. */
async function guarded<T>(name: string, work: () => Promise<T>): Promise<T> {
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
