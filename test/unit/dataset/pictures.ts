/** Small pictures made for tests. */
import sharp from 'sharp'

/** Interleaved bytes of a picture in which every pixel differs: red grows to the right, green downwards. */
export function gradientBytes(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const pixel = Math.floor(i / 3)
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    return [Math.round((255 * x) / Math.max(1, width - 1)), Math.round((255 * y) / Math.max(1, height - 1)), 60][i % 3] ?? 0
  })
}

export function gradientPicture(width: number, height: number) {
  return sharp(gradientBytes(width, height), { raw: { width, height, channels: 3 } })
}

/** One colour all over. */
export function plain(width: number, height: number, background: { r: number; g: number; b: number; alpha?: number }) {
  return sharp({ create: { width, height, channels: background.alpha === undefined ? 3 : 4, background } })
}

/** A picture whose file is not compressed to nothing. */
export function noisy(width: number, height: number) {
  return sharp({ create: { width, height, channels: 3, background: 'black', noise: { type: 'gaussian', mean: 128, sigma: 40 } } })
}
