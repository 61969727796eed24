import type { MaskChange } from './mask-history.svelte.ts'
import { maskSizeFor } from './mask-size.ts'
import { paintMask } from './paint-mask.ts'

/** A mask as a PNG in base64: white where it is painted, black elsewhere. */
export function maskPng(picture: { readonly width: number; readonly height: number }, changes: readonly MaskChange[]): string {
  const size = maskSizeFor(picture)
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: size.width, height: size.height })
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser cannot draw.')
  paintMask(context, size, changes)
  // The ink becomes white, and black comes behind it.
  context.globalCompositeOperation = 'source-in'
  context.fillStyle = '#fff'
  context.fillRect(0, 0, size.width, size.height)
  context.globalCompositeOperation = 'destination-over'
  context.fillStyle = '#000'
  context.fillRect(0, 0, size.width, size.height)
  return canvas.toDataURL('image/png').replace(/^data:image\/png;base64,/, '')
}
