import sharp from 'sharp'
import { HalfstepError } from '../errors.ts'
import { inspectPicture, type PictureSize } from '../pictures/picture-file.ts'
import { readPictureBytes } from '../pictures/read-picture.ts'

/** What of a picture is to be painted anew, row by row: 0 keeps a pixel, 1 replaces it. */
export interface PaintMask extends PictureSize {
  readonly data: Float32Array
}

/** A part of a picture in whole pixels. */
export interface Rectangle extends PictureSize {
  readonly left: number
  readonly top: number
}

/** How far the proportions of mask and picture may differ, for masks that were drawn on a smaller copy. */
const PROPORTION_TOLERANCE = 0.02

/**
 * Reads a mask file: white is painted anew, black and transparent stay. A mask of another size is scaled to the picture's.
 * Throws `file.unreadable`, `picture.malformed`, and `recipe.impossible` for a mask that is black all over or of other proportions.
 */
export async function readPaintMask(path: string, picture: PictureSize): Promise<PaintMask> {
  const bytes = await readPictureBytes(path)
  const { width, height, data } = await greyOf(bytes, path)
  if (Math.abs((width * picture.height) / (height * picture.width) - 1) > PROPORTION_TOLERANCE) {
    const message = `The mask ${path} is ${width}x${height}, which does not go with a picture of ${picture.width}x${picture.height}.`
    throw impossible(message, 'Paint it on this picture.', path)
  }
  const same = width === picture.width && height === picture.height
  const values = same ? data : await scaled({ width, height, data }, picture)
  const mask = { width: picture.width, height: picture.height, data: Float32Array.from(values, (value) => value / 255) }
  if (boundsOf(mask) === undefined) {
    throw impossible(`The mask ${path} is black all over: there is nothing to repair.`, 'Paint white over what is to be drawn anew.', path)
  }
  return mask
}

/** The smallest rectangle around everything that is painted anew; undefined where nothing is. */
export function boundsOf({ width, height, data }: PaintMask): Rectangle | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue
    const [x, y] = [i % width, Math.floor(i / width)]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 }
}

/** A part of a mask, which must lie inside it. */
export function cutOut(mask: PaintMask, { left, top, width, height }: Rectangle): PaintMask {
  const data = new Float32Array(width * height)
  for (let y = 0; y < height; y++) {
    const start = (top + y) * mask.width + left
    data.set(mask.data.subarray(start, start + width), y * width)
  }
  return { width, height, data }
}

interface Grey extends PictureSize {
  readonly data: Uint8Array
}

async function greyOf(bytes: Uint8Array, path: string): Promise<Grey> {
  const { width, height } = await inspectPicture(bytes, path)
  const upright = sharp(bytes, { failOn: 'error' }).autoOrient().flatten({ background: 'black' })
  return { width, height, data: await upright.greyscale().raw({ depth: 'uchar' }).toBuffer() }
}

function scaled({ width, height, data }: Grey, to: PictureSize): Promise<Uint8Array> {
  const raw = { width, height, channels: 1 } as const
  return sharp(data, { raw }).resize(to.width, to.height, { fit: 'fill', kernel: 'linear' }).greyscale().raw().toBuffer()
}

function impossible(message: string, nextStep: string, file: string): HalfstepError {
  return new HalfstepError('recipe.impossible', message, nextStep, { key: 'mask', file })
}
