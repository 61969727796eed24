import sharp from 'sharp'
import { inspectPicture, type PictureSize } from '../pictures/picture-file.ts'
import { withPngText } from '../pictures/png-metadata.ts'
import { readPictureBytes } from '../pictures/read-picture.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import type { PaintMask, Rectangle } from './paint-mask.ts'

/** A picture as it is: upright, in sRGB, eight bits per channel, transparency kept where it has any. */
export interface SourcePicture extends PictureSize {
  readonly channels: 3 | 4
  /** Pixel by pixel, row by row. */
  readonly data: Uint8Array
}

/** Reads a PNG, JPEG or WebP picture. Throws `file.unreadable` and `picture.malformed`, naming the file. */
export async function readSource(path: string): Promise<SourcePicture> {
  const bytes = await readPictureBytes(path)
  const { width, height } = await inspectPicture(bytes, path)
  const { data, info } = await sharp(bytes, { failOn: 'error' })
    .autoOrient().toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  return info.channels === 3 || info.channels === 4
    ? { width, height, channels: info.channels, data }
    : { width, height, ...fromGrey(data, info.channels) }
}

/** A part of a picture as a model sees it: scaled to `size`, on white, [1, 3, height, width] in [0, 1]. */
export async function seenPart(source: SourcePicture, part: Rectangle, size: PictureSize): Promise<FloatTensor> {
  const { width, height, channels, data } = source
  const cut = sharp(data, { raw: { width, height, channels } }).flatten({ background: 'white' }).extract(part)
  const pixels = await cut.resize(size.width, size.height, { fit: 'fill' }).raw({ depth: 'uchar' }).toBuffer()
  const count = size.width * size.height
  const planes = Float32Array.from({ length: 3 * count }, (_, i) => pixels[(i % count) * 3 + Math.floor(i / count)]! / 255)
  return float32([1, 3, size.height, size.width], planes)
}

/**
 * The picture with a part drawn anew: p ← p + w (new − p), rounded. Pixels of weight 0 keep their bytes.
 * @param drawn [1, 3, h, w] in [0, 1], of any size; scaled to the part
 * @param weights of a rectangle that lies in the part
 */
export async function withPartDrawn(
  source: SourcePicture, part: Rectangle, drawn: FloatTensor, weights: PaintMask & Rectangle,
): Promise<SourcePicture> {
  const fresh = await pixelsOf(drawn, part)
  const data = Uint8Array.from(source.data)
  for (let i = 0; i < weights.data.length; i++) {
    const weight = weights.data[i]!
    if (weight === 0) continue
    const [x, y] = [weights.left + (i % weights.width), weights.top + Math.floor(i / weights.width)]
    const to = (y * source.width + x) * source.channels
    const from = ((y - part.top) * part.width + x - part.left) * 3
    for (let channel = 0; channel < source.channels; channel++) {
      const value = channel === 3 ? 255 : fresh[from + channel]!
      data[to + channel] = Math.round(data[to + channel]! + weight * (value - data[to + channel]!))
    }
  }
  return { ...source, data }
}

/** As a PNG file with texts in it. */
export async function encodeSource({ width, height, channels, data }: SourcePicture, texts: Readonly<Record<string, string>>) {
  return withPngText(await sharp(data, { raw: { width, height, channels } }).png().toBuffer(), texts)
}

/** What was drawn as bytes per pixel, in the size of the part. */
async function pixelsOf(drawn: FloatTensor, { width: wide, height: high }: Rectangle): Promise<Uint8Array> {
  const [, , height = 1, width = 1] = drawn.shape
  const count = width * height
  const bytes = Uint8Array.from({ length: 3 * count }, (_, i) => {
    const value = drawn.data[(i % 3) * count + Math.floor(i / 3)]!
    return Math.round(255 * Math.min(1, Math.max(0, value)))
  })
  if (width === wide && height === high) return bytes
  return sharp(bytes, { raw: { width, height, channels: 3 } }).resize(wide, high, { fit: 'fill' }).raw({ depth: 'uchar' }).toBuffer()
}

/** Grey pictures, with or without transparency, in colours. */
function fromGrey(data: Uint8Array, channels: number): Pick<SourcePicture, 'channels' | 'data'> {
  const to = channels === 1 ? 3 : 4
  const colours = Uint8Array.from({ length: (data.length / channels) * to }, (_, i) => {
    const start = Math.floor(i / to) * channels
    return data[i % to === 3 ? start + 1 : start]!
  })
  return { channels: to, data: colours }
}
