import sharp from 'sharp'
import type { FloatTensor } from '../tensor/tensor.ts'
import { withPngText } from './png-metadata.ts'

/**
 * A picture [1, 3, H, W] (or [3, H, W]), RGB in [0, 1], as a PNG file of eight bits per channel; what lies outside is clamped.
 * @param texts to keep in it, by keyword
 */
export async function encodePng(picture: FloatTensor, texts: Readonly<Record<string, string>> = {}): Promise<Uint8Array> {
  const [height = 0, width = 0] = picture.shape.slice(-2)
  const png = await sharp(interleaved(picture.data, width * height), { raw: { width, height, channels: 3 } }).png().toBuffer()
  return withPngText(png, texts)
}

/** Planes of numbers as bytes per pixel. */
function interleaved(planes: Float32Array, pixels: number): Uint8Array {
  return Uint8Array.from({ length: 3 * pixels }, (_, i) => {
    const value = planes[(i % 3) * pixels + Math.floor(i / 3)] ?? 0
    return Math.round(255 * Math.min(1, Math.max(0, value)))
  })
}
