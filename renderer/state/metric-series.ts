import type { MetricPoint, MetricSeries } from '../../main/ipc/contract.ts'

const FIGURES = ['update', 'mean', 'spread', 'min', 'max', 'gradientNorm', 'learningRate', 'seconds'] as const

/** The curves with one more update. Points from it on are dropped first: a run that was interrupted makes its last updates again. */
export function withPoint(series: MetricSeries, point: MetricPoint): MetricSeries {
  const kept = series.update.filter((update) => update < point.update).length
  const figures = Object.fromEntries(FIGURES.map((figure) => [figure, [...series[figure].slice(0, kept), point[figure]]]))
  const names = [...new Set([...Object.keys(series.parts), ...Object.keys(point.parts)])]
  const parts = Object.fromEntries(names.map((name) => {
    const earlier = series.parts[name]?.slice(0, kept) ?? Array.from({ length: kept }, () => null)
    return [name, [...earlier, point.parts[name] ?? null]]
  }))
  return { ...series, ...figures, parts }
}
