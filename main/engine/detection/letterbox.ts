import sharp from 'sharp'
import type { SourcePicture } from '../inpainting/source-picture.ts'
import type { PictureSize } from '../pictures/picture-file.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** The grey that YOLO models are trained to see around pictures of other proportions. */
const GREY = 114

/** A picture inside a larger frame: x in the frame is `left + scale · x` in the picture's pixels. */
export interface Letterbox {
  readonly scale: number
  readonly left: number
  readonly top: number
}

/** How a picture lies in the middle of a frame, as large as it fits. */
export function letterboxOf(picture: PictureSize, frame: PictureSize): Letterbox & { readonly fitted: PictureSize } {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height)
  const fitted = { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) }
  const left = Math.floor((frame.width - fitted.width) / 2)
  return { scale, left, top: Math.floor((frame.height - fitted.height) / 2), fitted }
}

/** The picture in its frame, [1, 3, height, width] in [0, 1], on white where it is transparent. */
export async function letterboxed(source: SourcePicture, frame: PictureSize): Promise<FloatTensor> {
  const { width, height, channels, data } = source
  const { left, top, fitted } = letterboxOf(source, frame)
  const pixels = await sharp(data, { raw: { width, height, channels } })
    .flatten({ background: 'white' })
    .resize(fitted.width, fitted.height, { fit: 'fill', kernel: 'linear' })
    .raw({ depth: 'uchar' })
    .toBuffer()
  const count = frame.width * frame.height
  const planes = new Float32Array(3 * count).fill(GREY / 255)
  for (let i = 0; i < pixels.length; i++) {
    const [pixel, channel] = [Math.floor(i / 3), i % 3]
    const [x, y] = [left + (pixel % fitted.width), top + Math.floor(pixel / fitted.width)]
    planes[channel * count + y * frame.width + x] = pixels[i]! / 255
  }
  return float32([1, 3, frame.height, frame.width], planes)
}
