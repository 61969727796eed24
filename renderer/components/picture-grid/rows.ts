/** How pictures of one size fill a width, and which of their rows are to be seen. All lengths in pixels. */
export interface GridShape {
  readonly columns: number
  /** Of a picture's square. */
  readonly side: number
  /** From the top of a row to the top of the next. */
  readonly rowHeight: number
  readonly rows: number
  readonly height: number
}

export interface GridWishes {
  readonly count: number
  readonly width: number
  /** Pictures are at least this wide where the width allows. */
  readonly least: number
  readonly gap: number
  /** What stands below each picture. */
  readonly footer: number
}

export function gridShape({ count, width, least, gap, footer }: GridWishes): GridShape {
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)))
  const side = Math.max(0, Math.floor((width - gap * (columns - 1)) / columns))
  const rows = Math.ceil(count / columns)
  const rowHeight = side + footer + gap
  return { columns, side, rowHeight, rows, height: Math.max(0, rows * rowHeight - gap) }
}

/** Indices of the pictures to draw: those in view and `margin` rows around them. @returns [first, one past the last] */
export function visibleRange(shape: GridShape, count: number, top: number, viewHeight: number, margin = 2): readonly [number, number] {
  if (shape.rowHeight <= 0) return [0, 0]
  const first = Math.max(0, Math.floor(top / shape.rowHeight) - margin)
  const last = Math.min(shape.rows, Math.ceil((top + viewHeight) / shape.rowHeight) + margin)
  return [Math.min(count, first * shape.columns), Math.min(count, Math.max(first, last) * shape.columns)]
}
