import { float32, type FloatTensor } from '../tensor/tensor.ts'

export interface SheetLayout {
  /** Pictures side by side; 8 by default, or fewer where there are fewer. */
  readonly columns?: number
  /** Every pixel becomes this many in width and height, so that small pictures can be looked at; 1 by default. */
  readonly scale?: number
  /** Pixels of white between pictures and around them; 4 by default. */
  readonly gap?: number
}

/**
 * Pictures in rows on one white sheet, in reading order.
 * @param pictures [b, 3, h, w] with b ≥ 1, RGB in [0, 1]
 * @returns [1, 3, H, W]. Throws RangeError for other shapes, and for columns or a scale that are no positive integers.
 */
export function contactSheet(pictures: FloatTensor, { columns = 8, scale = 1, gap = 4 }: SheetLayout = {}): FloatTensor {
  const [count = 0, channels = 0, height = 0, width = 0] = pictures.shape
  if (pictures.shape.length !== 4 || channels !== 3 || count < 1) {
    throw new RangeError(`A contact sheet takes pictures [b, 3, h, w], not [${pictures.shape.join(', ')}]`)
  }
  if (![columns, scale].every((value) => Number.isInteger(value) && value > 0)) {
    throw new RangeError('Columns and scale are positive integers')
  }
  const across = Math.min(columns, count)
  const [cellWidth, cellHeight] = [width * scale + gap, height * scale + gap]
  const sheetWidth = across * cellWidth + gap
  const sheetHeight = Math.ceil(count / across) * cellHeight + gap
  const sheet = new Float32Array(3 * sheetWidth * sheetHeight).fill(1)

  for (let plane = 0; plane < count * 3; plane++) {
    const picture = Math.floor(plane / 3)
    const left = gap + (picture % across) * cellWidth
    const top = gap + Math.floor(picture / across) * cellHeight
    for (let y = 0; y < height * scale; y++) {
      const from = (plane * height + Math.floor(y / scale)) * width
      const to = ((plane % 3) * sheetHeight + top + y) * sheetWidth + left
      for (let x = 0; x < width * scale; x++) sheet[to + x] = pictures.data[from + Math.floor(x / scale)]!
    }
  }
  return float32([1, 3, sheetHeight, sheetWidth], sheet)
}
