import { writeFileSync } from 'node:fs'
import sharp from 'sharp'
import type { PaintMask } from '../../../main/engine/inpainting/paint-mask.ts'

/** A mask that is painted where `painted` says so. */
export function maskWhere(width: number, height: number, painted: (x: number, y: number) => boolean): PaintMask {
  const data = Float32Array.from({ length: width * height }, (_, i) => (painted(i % width, Math.floor(i / width)) ? 1 : 0))
  return { width, height, data }
}

/** Writes it as people's programs do: grey, white is painted. */
export async function writeMask(path: string, { width, height, data }: PaintMask): Promise<string> {
  const raw = { width, height, channels: 1 } as const
  writeFileSync(path, await sharp(Uint8Array.from(data, (value) => 255 * value), { raw }).png().toBuffer())
  return path
}

/** A picture of smooth colours with some detail, so that no two rows are alike. */
export async function writePicture(path: string, width: number, height: number, channels: 3 | 4 = 3): Promise<string> {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / channels), i % channels]
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    return channel === 3 ? 255 - (x % 5) * 40 : (40 + 3 * x + 2 * y * (channel + 1) + 11 * ((x * y) % 7)) % 256
  })
  writeFileSync(path, await sharp(data, { raw: { width, height, channels } }).png().toBuffer())
  return path
}
