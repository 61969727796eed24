/** Features brought to one scale, and the way back for a head that was learned on them. */
export interface Standardised {
  /** (f − mean) / deviation / √width: of length about one. */
  readonly things: readonly Float64Array[]
  /** A head a·f + b on the features as they were, with the same scores but for their scale: mean 0 and deviation 1 over the rows. */
  headOf(weights: Float64Array): { readonly weights: Float64Array; readonly bias: number }
}

/** What hardly varies tells nothing, and must not be blown up. */
const LEAST_DEVIATION = 1e-4

/** @param rows of as many features each, one row at least */
export function standardise(rows: readonly Float32Array[]): Standardised {
  const width = rows[0]?.length ?? 0
  const columns = Array.from({ length: width }, (_, k) => moments(rows.map((row) => row[k]!)))
  const scales = columns.map(({ deviation }) => 1 / (Math.max(deviation, LEAST_DEVIATION) * Math.sqrt(width)))
  const things = rows.map((row) => Float64Array.from(row, (value, k) => (value - columns[k]!.mean) * scales[k]!))
  return {
    things,
    headOf(weights) {
      const raw = weights.map((weight, k) => weight * scales[k]!)
      const { mean, deviation } = moments(rows.map((row) => row.reduce((sum, value, k) => sum + value * raw[k]!, 0)))
      const scale = deviation === 0 ? 1 : 1 / deviation
      return { weights: raw.map((weight) => weight * scale), bias: -mean * scale }
    },
  }
}

function moments(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) }
}
