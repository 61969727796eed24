import type { MaskSize } from './paint-mask.ts'

/** Longer side of a mask's canvas: beyond it a brush has no finer edge, and the memory of a small machine an end. */
const LONGEST = 2048

/** The canvas for a picture: its own size where that is not too large. */
export function maskSizeFor(picture: { readonly width: number; readonly height: number }): MaskSize {
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height))
  return { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)), scale }
}
