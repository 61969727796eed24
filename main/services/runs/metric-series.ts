import type { Metric } from '../../store/metrics.ts'

/** A run's curves, point by point: as many entries in each list. */
export interface MetricSeries {
  readonly update: number[]
  readonly mean: number[]
  readonly spread: number[]
  readonly min: number[]
  readonly max: number[]
  readonly gradientNorm: number[]
  readonly learningRate: number[]
  readonly seconds: number[]
  /** By the name of the part; null where an update had no such part. */
  readonly parts: Record<string, (number | null)[]>
}

/**
 * Curves of at most so many points. Where there are more updates, neighbours become one point: means of means, the smallest and
 * the largest, at the last update of the group.
 * @param metrics in order @param points at least 1
 */
export function metricSeries(metrics: readonly Metric[], points: number): MetricSeries {
  const groups = intoGroups(metrics, points)
  const names = [...new Set(metrics.flatMap(({ parts }) => Object.keys(parts)))].sort()
  const means = (value: (metric: Metric) => number): number[] => groups.map((group) => mean(group.map(value)))
  return {
    update: groups.map((group) => group.at(-1)!.update),
    mean: means((metric) => metric.mean),
    spread: means((metric) => metric.spread),
    min: groups.map((group) => Math.min(...group.map((metric) => metric.min))),
    max: groups.map((group) => Math.max(...group.map((metric) => metric.max))),
    gradientNorm: means((metric) => metric.gradientNorm),
    learningRate: means((metric) => metric.learningRate),
    seconds: means((metric) => metric.seconds),
    parts: Object.fromEntries(names.map((name) => [name, groups.map((group) => partMean(group, name))])),
  }
}

/** Groups of as equal a size as can be, none empty. */
function intoGroups(metrics: readonly Metric[], points: number): Metric[][] {
  const count = Math.min(points, metrics.length)
  return Array.from({ length: count }, (_, i) =>
    metrics.slice(Math.floor((i * metrics.length) / count), Math.floor(((i + 1) * metrics.length) / count)))
}

function partMean(group: readonly Metric[], name: string): number | null {
  const values = group.flatMap(({ parts }) => parts[name] ?? [])
  return values.length === 0 ? null : mean(values)
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
