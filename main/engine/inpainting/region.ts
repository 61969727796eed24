import type { PictureSize } from '../pictures/picture-file.ts'
import type { Rectangle } from './paint-mask.ts'

/** A region is enlarged this much at most: beyond that a model has too little to go by. */
const MOST_ENLARGED = 2

/**
 * The part of a picture that the model is to see: what is painted, and `context` times its longer side around it on every side.
 * Square where the picture has room, at least 1/{@link MOST_ENLARGED} of what the model draws at, and never without one pixel of
 * surroundings where there are any.
 * @param context undefined for the whole picture @param side of the pictures that the model was trained on, in pixels
 */
export function regionAround(painted: Rectangle, picture: PictureSize, context: number | undefined, side: number): Rectangle {
  if (context === undefined) return { left: 0, top: 0, ...sizeOf(picture) }
  const longer = Math.max(painted.width, painted.height)
  const wanted = Math.max(longer + 2 * Math.max(1, Math.round(context * longer)), Math.ceil(side / MOST_ENLARGED))
  const [width, height] = [Math.min(wanted, picture.width), Math.min(wanted, picture.height)]
  return {
    left: startOf(painted.left + painted.width / 2, width, picture.width),
    top: startOf(painted.top + painted.height / 2, height, picture.height),
    width,
    height,
  }
}

/**
 * The size to draw a region at: its proportions, about the area that the model was trained on, both sides multiples of `unit`.
 * @param unit pixels that the UNet's and autoencoder's halvings need
 */
export function drawingSize({ width, height }: PictureSize, side: number, unit: number): PictureSize {
  const scale = side / Math.sqrt(width * height)
  const rounded = (length: number): number => Math.max(unit, Math.round((length * scale) / unit) * unit)
  return { width: rounded(width), height: rounded(height) }
}

/** The rectangle with one pixel more on every side that lies in the picture. */
export function withRim({ left, top, width, height }: Rectangle, picture: PictureSize): Rectangle {
  const [x, y] = [Math.max(0, left - 1), Math.max(0, top - 1)]
  const [right, bottom] = [Math.min(picture.width, left + width + 1), Math.min(picture.height, top + height + 1)]
  return { left: x, top: y, width: right - x, height: bottom - y }
}

/** Where an interval around a centre begins, moved so that it lies in [0, whole]. */
function startOf(centre: number, length: number, whole: number): number {
  return Math.min(Math.max(0, Math.round(centre - length / 2)), whole - length)
}

function sizeOf({ width, height }: PictureSize): PictureSize {
  return { width, height }
}
