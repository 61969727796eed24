import { float32, type FloatTensor } from '../tensor/tensor.ts'
import type { PaintMask } from './paint-mask.ts'

/**
 * Which latents are drawn anew, [1, 1, height, width]: 1 where a pixel that is painted at all lies over the latent, else 0. All or
 * nothing, since a mean of two noisy latents has less noise than the network expects; the soft edge is made of pixels.
 */
export function latentMask(mask: PaintMask, height: number, width: number): FloatTensor {
  const latents = new Float32Array(height * width)
  for (let y = 0; y < mask.height; y++) {
    const [top, bottom] = covered(y, mask.height, height)
    for (let x = 0; x < mask.width; x++) {
      if (mask.data[y * mask.width + x] === 0) continue
      const [left, right] = covered(x, mask.width, width)
      for (let row = top; row < bottom; row++) latents.fill(1, row * width + left, row * width + right)
    }
  }
  return float32([1, 1, height, width], latents)
}

/** The cells [from, to) of a side cut into `cells` that pixel `p` of `pixels` lies over, at least in part. */
function covered(p: number, pixels: number, cells: number): [from: number, to: number] {
  return [Math.floor((p * cells) / pixels), Math.ceil(((p + 1) * cells) / pixels)]
}
