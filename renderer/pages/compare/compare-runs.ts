import type { MetricSeries, RunDetails } from '../../../main/ipc/contract.ts'
import type { PlotSeries } from '../../components/plot/plot-data.ts'

/** The mean rewards of several runs over the union of their updates; where a run has no point, its line is joined across. */
export function comparedSeries(
  runs: readonly { readonly label: string; readonly metrics: MetricSeries }[],
): { readonly update: readonly number[]; readonly series: readonly PlotSeries[] } {
  const update = [...new Set(runs.flatMap(({ metrics }) => metrics.update))].sort((a, b) => a - b)
  const series = runs.map(({ label, metrics }, index): PlotSeries => {
    const at = new Map(metrics.update.map((one, point) => [one, metrics.mean[point]!]))
    return { label: uniqueLabel(runs, index, label), values: update.map((one) => at.get(one) ?? null), colour: COLOURS[index] ?? 1 }
  })
  return { update, series }
}

const COLOURS = [1, 2, 3, 4] as const

/** Runs may have the same name; lines may not. */
function uniqueLabel(runs: readonly { readonly label: string }[], index: number, label: string): string {
  const before = runs.slice(0, index).filter((other) => other.label === label).length
  return before === 0 ? label : `${label} (${before + 1})`
}

/** A setting that is not the same in all recipes, with its value in each. */
export interface Difference {
  readonly key: string
  readonly values: readonly string[]
}

/** What is written down about a run and does not decide its outcome. */
const NO_SETTINGS = ['date', 'fingerprints', 'version']

export function settingDifferences(recipes: readonly RunDetails['recipe'][]): Difference[] {
  const flat = recipes.map((recipe) => new Map(flattened(recipe)))
  const keys = [...new Set(flat.flatMap((settings) => [...settings.keys()]))].sort()
  return keys
    .filter((key) => !NO_SETTINGS.includes(key.split('.')[0] ?? ''))
    .map((key) => ({ key, values: flat.map((settings) => settings.get(key) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1)
}

/** `['batch.prompts', '4']`, …: leaves by their path; lists count as leaves. */
function flattened(value: unknown, path: readonly string[] = []): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path.join('.'), leafWords(value)]]
  return Object.entries(value).flatMap(([key, inner]) => flattened(inner, [...path, key]))
}

function leafWords(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length <= 120 ? text : `${text.slice(0, 120)}…`
}
