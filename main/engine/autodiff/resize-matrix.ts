/** The matrix M [out, in], row-major, by which resampling one axis maps `size` elements to `target`. */
export function resizeMatrix(size: number, target: number, mode: 'nearest' | 'linear'): number[] {
  const matrix = new Array<number>(target * size).fill(0)
  const addTo = (row: number, column: number, weight: number): void => {
    const at = row * size + Math.min(Math.max(column, 0), size - 1)
    matrix[at] = (matrix[at] ?? 0) + weight
  }
  for (let row = 0; row < target; row++) {
    if (mode === 'nearest') {
      addTo(row, Math.floor((row * size) / target), 1)
      continue
    }
    // Half-pixel centres: output centre (row + ½) falls on input coordinate (row + ½) · size / target − ½, kept inside.
    const position = Math.min(Math.max(((row + 0.5) * size) / target - 0.5, 0), size - 1)
    const left = Math.floor(position)
    addTo(row, left, 1 - (position - left))
    addTo(row, left + 1, position - left)
  }
  return matrix
}
