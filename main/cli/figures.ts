/** Numbers and tables for people. */

const UNITS = ['', 'k', 'M', 'G', 'T'] as const

/** 859520964 → `860 M`. */
export function formatCount(count: number): string {
  return inUnits(count).trim()
}

/** Bytes in powers of ten, as disks and networks count them: 3438167540 → `3.44 GB`. */
export function formatBytes(bytes: number): string {
  return `${inUnits(bytes)}B`
}

/** Three significant digits, and a unit that keeps the number below 1000. */
function inUnits(value: number): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3))
  const scaled = value / 1000 ** power
  // 999.9996 k would be printed as 1000 k.
  if (Math.round(scaled) === 1000 && power < UNITS.length - 1) return `1.00 ${UNITS[power + 1]!}`
  return `${power === 0 ? String(value) : scaled.toPrecision(3)} ${UNITS[power]!}`
}

/** An error or a tolerance: `1.18e-6`, `1e-4`. */
export function formatError(value: number): string {
  return Number.isFinite(value) ? value.toExponential(2).replace(/\.?0+e/, 'e') : String(value)
}

/** 0.0421 s → `42.1 ms`. */
export function formatSeconds(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`
}

/** Columns under one another: text to the left, `right` columns to the right, two spaces between. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const cell = (text: string, column: number): string => {
    const width = widths[column] ?? 0
    return right.includes(column) ? text.padStart(width) : text.padEnd(width)
  }
  return rows.map((row) => row.map(cell).join('  ').trimEnd())
}

/** Lines below a heading. */
export function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

/** `1 module`, `2 modules`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}
