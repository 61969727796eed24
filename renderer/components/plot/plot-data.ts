/** A line of a plot. */
export interface PlotSeries {
  readonly label: string
  /** As many as there are x values; null leaves a gap. */
  readonly values: readonly (number | null)[]
  /** Which of the colours `--series-1` … it has. */
  readonly colour: 1 | 2 | 3 | 4
  /** Half the height of the band around it, for each value. */
  readonly spread?: readonly number[]
  readonly dashed?: boolean
}

/** What uPlot draws: x, then for each series its values and, where it has a spread, the upper and lower edge of its band. */
export function columnsOf(x: readonly number[], series: readonly PlotSeries[]): (number | null)[][] {
  const lines = series.flatMap(({ values, spread }) => (spread ? [values, edge(values, spread, 1), edge(values, spread, -1)] : [values]))
  return [x, ...lines].map((column) => [...column])
}

function edge(values: readonly (number | null)[], spread: readonly number[], side: 1 | -1): (number | null)[] {
  return values.map((value, index) => (value === null ? null : value + side * (spread[index] ?? 0)))
}

/** `0.42`, `1,250`, `3.1e-5`: a figure with about three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toLocaleString('en')
  if (size !== 0 && size < 1e-3) return value.toExponential(1)
  return Number(value.toPrecision(3)).toString()
}
