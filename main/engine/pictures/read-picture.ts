import sharp from 'sharp'
import { HalfstepError } from '../errors.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** Larger pictures than this are decompression bombs or mistakes. */
const MOST_PIXELS = 2 ** 28

/**
 * A picture file as [1, 3, h, w], RGB in [0, 1]: turned as its camera says, in sRGB, on white where it is transparent.
 * Throws `file.unreadable`, naming the file.
 */
export async function readPicture(path: string): Promise<FloatTensor> {
  try {
    const picture = sharp(path, { failOn: 'error', limitInputPixels: MOST_PIXELS })
      .rotate()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
    const {
      data,
      info: { width, height, channels },
    } = await picture.raw().toBuffer({ resolveWithObject: true })
    const planes = new Float32Array(3 * width * height)
    for (let i = 0; i < width * height; i++) {
      // A grey picture has one channel, which stands for all three.
      for (let c = 0; c < 3; c++) planes[c * width * height + i] = data[i * channels + Math.min(c, channels - 1)]! / 255
    }
    return float32([1, 3, height, width], planes)
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    throw new HalfstepError(
      'file.unreadable',
      `The picture ${path} cannot be read: ${cause}.`,
      'Leave it out, or save it again as PNG or JPEG.',
      { file: path },
    )
  }
}
