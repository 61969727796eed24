import type { BrushPoint, MaskChange, MarkedRectangle, Stroke } from './mask-history.svelte.ts'

/** What painting needs of a canvas. */
export interface MaskContext {
  fillStyle: unknown
  strokeStyle: unknown
  lineWidth: number
  lineCap: 'butt' | 'round' | 'square'
  globalCompositeOperation: string
  beginPath(): void
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
  stroke(): void
  fillRect(x: number, y: number, width: number, height: number): void
  clearRect(x: number, y: number, width: number, height: number): void
}

export interface MaskSize {
  /** Of the canvas. */
  readonly width: number
  readonly height: number
  /** Canvas pixels for each pixel of the picture. */
  readonly scale: number
}

/** What a mask looks like on its canvas; what is not painted is transparent. */
const INK = '#ff2d78'

/** A pen that hardly touches still leaves this share of the brush. */
const LEAST_PRESSURE = 0.25

/** Paints a mask from nothing. */
export function paintMask(context: MaskContext, size: MaskSize, changes: readonly MaskChange[]): void {
  clear(context, size)
  // What lies before the last time all was cleared is not seen.
  const first = changes.findLastIndex(({ kind }) => kind === 'clear') + 1
  for (const change of changes.slice(first)) paintChange(context, size, change)
}

/** Adds one change to what is painted. */
export function paintChange(context: MaskContext, size: MaskSize, change: MaskChange): void {
  switch (change.kind) {
    case 'stroke':
      return paintStroke(context, size, change)
    case 'rectangle':
      return paintRectangle(context, size, change)
    case 'invert':
      return invert(context, size)
    case 'clear':
      return clear(context, size)
  }
}

/** A stroke, or what was added to it since the point at `from`. */
export function paintStroke(context: MaskContext, { scale }: MaskSize, { erase, size, points }: Stroke, from = 0): void {
  begin(context, erase)
  context.lineCap = 'round'
  const rest = points.slice(Math.max(0, from - 1))
  const [first] = rest
  if (first === undefined) return
  // A lone point is a line of no length, which a round cap makes a dot.
  if (rest.length === 1) return line(context, scale, size, first, first)
  rest.slice(1).forEach((point, i) => line(context, scale, size, rest[i]!, point))
}

function line(context: MaskContext, scale: number, size: number, from: BrushPoint, to: BrushPoint): void {
  const pressure = (from.pressure + to.pressure) / 2
  context.lineWidth = Math.max(1, size * scale * (LEAST_PRESSURE + (1 - LEAST_PRESSURE) * pressure))
  context.beginPath()
  context.moveTo(from.x * scale, from.y * scale)
  context.lineTo(to.x * scale, to.y * scale)
  context.stroke()
}

function paintRectangle(context: MaskContext, { scale }: MaskSize, { erase, left, top, width, height }: MarkedRectangle): void {
  begin(context, erase)
  context.fillRect(left * scale, top * scale, width * scale, height * scale)
}

/** Ink over ink is nothing, ink over nothing is ink. */
function invert(context: MaskContext, { width, height }: MaskSize): void {
  begin(context, false)
  context.globalCompositeOperation = 'xor'
  context.fillRect(0, 0, width, height)
}

function clear(context: MaskContext, { width, height }: MaskSize): void {
  context.clearRect(0, 0, width, height)
}

function begin(context: MaskContext, erase: boolean): void {
  context.globalCompositeOperation = erase ? 'destination-out' : 'source-over'
  context.fillStyle = INK
  context.strokeStyle = INK
}
