/** All parts of a comparison as one report: tables, charts, and the paper's ordering beside ours. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { html, type Markup } from '../../../main/cli/report/html.ts'
import { HEIGHT, WIDTH, plot, type Axis, type Series } from '../../../main/cli/report/line-chart.ts'
import { STYLE } from '../../../main/cli/report/style.ts'
import { meanOf, type Mean } from '../../../main/engine/evaluation/mean.ts'
import { markdownTable } from '../report.ts'
import { GROUPS, METHODS, OURS, PAPER, type Claim, type Method } from './compare-methods.ts'
import type { Part, RunPart, RunPoint, VariancePart } from './compare-parts.ts'
import { COLUMNS, estimatorsTable } from './estimators-table.ts'
import { digits, withError } from './figures.ts'

/** Runs of one method at the rate it was given, and the rates it was given to choose from. */
export interface MethodRuns {
  readonly key: string
  readonly name: string
  readonly rate: number
  readonly runs: readonly RunPart[]
}

/** A chart and the name of its file. */
export interface Chart {
  readonly file: string
  readonly svg: string
}

export interface CompareReport {
  readonly markdown: string
  readonly charts: readonly Chart[]
}

/** Share of the pictures. */
const LOST_AGREEMENT = 0.1

/** A difference of more standard errors than this is one. */
const TOLD_APART = 2

export function compareReport(parts: readonly Part[], circumstances: string): CompareReport {
  const methods = methodRuns(parts)
  const variance = parts.find((part) => part.kind === 'variance')
  const charts = methods.length === 0 ? [] : chartsOf(methods)
  const markdown = [
    '# RLR and its peers on the starter',
    '',
    circumstances,
    ...introduction(methods),
    '',
    '## After equal evaluations of the network',
    '',
    markdownTable([HEADING, ...baseRows(methods), ...methods.map(resultRow)]),
    ...failures(methods),
    '',
    ...charts.map(({ file }) => `![${file.replace(/\.svg$/, '')}](rlr/${file})`),
    '',
    '## The paper\'s ordering',
    '',
    'Differences of the judge\'s rate in points, ± one standard error over seeds; told apart beyond two.',
    '',
    orderingTable('claim of the paper', PAPER, methods),
    '',
    orderingTable('claim of ours', OURS, methods),
    ...ratesSection(parts),
    ...(variance === undefined ? [] : varianceSection(variance)),
  ].join('\n')
  return { markdown, charts }
}

/** Writes the charts beside the parts. */
export function saveCharts(folder: string, charts: readonly Chart[]): void {
  mkdirSync(folder, { recursive: true })
  for (const { file, svg } of charts) writeFileSync(path.join(folder, file), `${svg}\n`)
}

/** Methods in their order, each at the best rate it was tried at. */
export function methodRuns(parts: readonly Part[]): MethodRuns[] {
  const runs = parts.filter((part) => part.kind === 'run')
  return METHODS.flatMap((method) => {
    const { key, name } = method
    const own = runs.filter((run) => run.method === key && run.purpose === 'compare')
    const rate = bestRate(runs, method) ?? own[0]?.rate
    const atRate = own.filter((run) => run.rate === rate)
    return rate === undefined || atRate.length === 0 ? [] : [{ key, name, rate, runs: atRate }]
  })
}

/**
 * The rate whose tuning run ended highest by the judge; undefined where nothing was tuned. One that lost agreement is no choice while
 * there is another: the reward was being hacked, and a longer run would be ruined by it.
 */
export function bestRate(parts: readonly Part[], { tunedAs }: Method): number | undefined {
  const ended = ({ points, failure }: RunPart): number => (failure === null ? (points.at(-1)?.five ?? -1) : -1)
  const rank = (run: RunPart): number => (hacks(run) ? -2 : 0) + ended(run)
  return tuningOf(parts, tunedAs).toSorted((a, b) => rank(b) - rank(a))[0]?.rate
}

function tuningOf(parts: readonly Part[], key: string): RunPart[] {
  return parts.filter((part) => part.kind === 'run').filter(({ method, purpose }) => method === key && purpose === 'tune')
}

/** Whether the critic likes more pictures than before and the judge agrees on clearly fewer: it is shown what it wants to see. */
export function hacks({ points }: RunPart): boolean {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return false
  return last.score > first.score && last.agreement < first.agreement - LOST_AGREEMENT
}

function introduction(methods: readonly MethodRuns[]): string[] {
  const [first] = methods.flatMap(({ runs }) => runs)
  if (first === undefined) return ['Nothing has been run yet.']
  const seeds = new Set(methods.flatMap(({ runs }) => runs.map(({ seed }) => seed)))
  const made = new Set(methods.flatMap(({ runs }) => runs.map(({ circumstances }) => circumstances)))
  return [
    '',
    `Every run spends ${first.evaluations.toLocaleString('en')} evaluations of the network for single samples: a forward pass counts 1, a `
    + 'VJP 2. Decoding and the critic are not counted, and are in the seconds, which are the processor\'s. The judge counts fingers in '
    + `${first.pictures} pictures of held-out prompts from held-out noise, the same for all. Batch, chain, adapter and optimizer are those `
    + 'of the demo\'s quick recipe, without its penalty on drift and its reward for variety, and with a constant rate; each '
    + 'method has the learning rate that did best among the same few in a run of its own of half the length (RLR: one run per '
    + 'coverage, h = 2, without template), judged on training prompts and other noise; rates that raise the critic and lose '
    + `over ${100 * LOST_AGREEMENT} points of its agreement with the judge are left out: the reward is being hacked. `
    + `± is one standard error over seeds (${[...seeds].toSorted((a, b) => a - b).join(', ')}).`,
    '',
    ...(made.size === 1 ? [] : ['The runs were made in pieces:', ...[...made].map((line) => `- ${line}`)]),
  ]
}

const HEADING = [
  'method', 'rate', 'seeds', 'updates', 'CPU s', 'five, judge', 'critic', 'agreement', 'well-formed', 'background', 'diversity',
]

/** The model as it was, with and without the template. */
function baseRows(methods: readonly MethodRuns[]): string[][] {
  return ([['base', false], ['base, template', true]] as const).flatMap(([name, template]) => {
    const method = methods.find(({ key }) => METHODS.find((one) => one.key === key)?.template === template)
    const point = method?.runs[0]?.points[0]
    return point === undefined ? [] : [[name, '', '', '', '', ...figuresOf([point])]]
  })
}

function resultRow({ name, rate, runs }: MethodRuns): string[] {
  const ends = endsOf(runs)
  const average = (of: (point: RunPoint) => number): string => String(Math.round(meanOf(ends.map(of)).value))
  return [name, String(rate), String(runs.length), average(({ updates }) => updates), average(({ seconds }) => seconds), ...figuresOf(ends)]
}

function figuresOf(points: readonly RunPoint[]): string[] {
  const share = (of: (point: RunPoint) => number): string => withError(meanOf(points.map((point) => 100 * of(point))), 1)
  return [
    share(({ five }) => five),
    withError(meanOf(points.map(({ score }) => score)), 3),
    share(({ agreement }) => agreement),
    share(({ wellFormed }) => wellFormed),
    share(({ background }) => background),
    withError(meanOf(points.map(({ diversity }) => diversity)), 1),
  ]
}

function failures(methods: readonly MethodRuns[]): string[] {
  const failed = methods.flatMap(({ name, runs }) =>
    runs.flatMap(({ seed, failure }) => (failure === null ? [] : `- ${name}, seed ${seed}: ${failure}`)))
  return failed.length === 0 ? [] : ['', 'Ended early:', ...failed]
}

function endsOf(runs: readonly RunPart[]): RunPoint[] {
  return runs.flatMap(({ points }) => points.at(-1) ?? [])
}

function orderingTable(title: string, claims: readonly Claim[], methods: readonly MethodRuns[]): string {
  return markdownTable([[title, 'difference here', 'here'], ...claims.map((claim) => orderingRow(claim, methods))])
}

function orderingRow({ claim, worse, better }: Claim, methods: readonly MethodRuns[]): string[] {
  const [low, high] = [ratesOf(worse, methods), ratesOf(better, methods)]
  if (low.length === 0 || high.length === 0) return [claim, '–', 'not run']
  const [a, b] = [meanOf(low), meanOf(high)]
  // The base is one and the same model, which has no spread over seeds.
  const errors = [worse === 'base' ? 0 : a.standardError, b.standardError]
  const difference = { value: b.value - a.value, standardError: Math.hypot(...errors) }
  return [claim, withError(difference, 1), verdictOn(difference)]
}

export function verdictOn({ value, standardError }: Mean): 'the same' | 'the other way round' | 'cannot be told' {
  if (!(Math.abs(value) > TOLD_APART * standardError)) return 'cannot be told'
  return value > 0 ? 'the same' : 'the other way round'
}

/** Final rates of a method in percent, by seed. */
function ratesOf(key: string, methods: readonly MethodRuns[]): number[] {
  const points = key === 'base'
    ? methods.flatMap(({ runs }) => runs.flatMap((run) => run.points[0] ?? [])).slice(0, 1)
    : endsOf(methods.find((method) => method.key === key)?.runs ?? [])
  return points.map(({ five }) => 100 * five)
}

/** How the runs ended that chose a rate, and whole ones at a rate that was not chosen; where the reward was hacked, it shows. */
function ratesSection(parts: readonly Part[]): string[] {
  const tried = METHODS.flatMap((method) => {
    const chosen = bestRate(parts, method)
    const whole = parts.filter((part) => part.kind === 'run')
      .filter(({ method: key, purpose, rate }) => key === method.key && purpose === 'compare' && rate !== chosen)
    return [...(method.key === method.tunedAs ? tuningOf(parts, method.key) : []), ...(chosen === undefined ? [] : whole)]
      .map((run) => triedRow(method, run))
  })
  if (tried.length === 0) return []
  return ['', '## The rates that were tried', '', markdownTable([['method', 'rate', 'evaluations', ...HEADING.slice(5), ''], ...tried])]
}

function triedRow({ name }: Method, run: RunPart): string[] {
  const end = run.points.slice(-1)
  return [name, String(run.rate), String(run.evaluations), ...figuresOf(end), run.failure ?? (hacks(run) ? 'the reward is hacked' : '')]
}

function varianceSection({ figures, parameters, circumstances }: VariancePart): string[] {
  const [first] = figures
  return [
    '',
    '## The estimators',
    '',
    circumstances,
    `${first?.draws ?? 0} draws at the parameters that a run begins with (${parameters}), on the same prompts and noises. ${COLUMNS}`,
    '',
    estimatorsTable(figures),
  ]
}

function chartsOf(methods: readonly MethodRuns[]): Chart[] {
  const all = methods.flatMap(({ runs }) => runs.flatMap(({ points }) => points))
  const share: Axis = {
    label: 'five fingers, by the judge', ...tenths(all.map(({ five }) => five)), format: (value) => `${Math.round(100 * value)} %`,
  }
  const over = [
    { name: 'evaluations', label: 'thousand evaluations of the network', of: (point: RunPoint) => point.evaluations / 1000 },
    { name: 'seconds', label: 'seconds of the processor', of: (point: RunPoint) => point.seconds },
  ]
  const curves = GROUPS.flatMap(({ name, title, keys }) => {
    const shown = shownOf(keys, methods)
    if (shown.length === 0) return []
    return over.map(({ name: axis, label, of }) => {
      const most = Math.max(...shown.flatMap(({ method }) => method.runs.flatMap(({ points }) => points.map(of))))
      const series = shown.map(({ method, colour }) => curve(method, colour, of))
      return { file: `${name}-by-${axis}.svg`, svg: standalone(title, { label, low: 0, high: most, format: String }, share, series) }
    })
  })
  const score: Axis = { label: 'critic\'s score', ...tenths(all.map((point) => point.score)), format: digits }
  const ends = shownOf(GROUPS[0]?.keys ?? [], methods).map(({ method, colour }): Series => ({
    name: method.name,
    colour,
    kind: 'dots',
    points: averaged(method.runs).map((points) => ({ x: mean(points, (point) => point.score), y: mean(points, (point) => point.five) })),
  }))
  return [...curves, { file: 'judge-by-critic.svg', svg: standalone('What the judge sees of the critic\'s gain', score, share, ends) }]
}

/** A range of whole tenths around shares, with a little room for their errors. */
function tenths(shares: readonly number[]): Pick<Axis, 'low' | 'high'> {
  const [least, most] = [Math.min(...shares), Math.max(...shares)]
  return { low: Math.max(0, Math.floor(10 * least - 0.2) / 10), high: Math.min(1, Math.ceil(10 * most + 0.2) / 10) }
}

/** The methods that were run; each keeps its colour in all charts of a group, whichever of the others were. */
function shownOf(keys: readonly string[], methods: readonly MethodRuns[]): { readonly method: MethodRuns; readonly colour: number }[] {
  return keys.flatMap((key, colour) => {
    const method = methods.find((one) => one.key === key)
    return method === undefined ? [] : [{ method, colour }]
  })
}

function curve({ name, runs }: MethodRuns, colour: number, of: (point: RunPoint) => number): Series {
  const points = averaged(runs).map((some) => {
    const { value, standardError } = meanOf(some.map(({ five }) => five))
    const whisker = { low: Math.max(0, value - standardError), high: Math.min(1, value + standardError) }
    return { x: mean(some, of), y: value, ...(Number.isFinite(standardError) ? whisker : {}) }
  })
  return { name, colour, kind: 'dots', points }
}

/** The runs' first points, their second points, and so on. */
function averaged(runs: readonly RunPart[]): RunPoint[][] {
  const length = Math.max(...runs.map(({ points }) => points.length))
  return Array.from({ length }, (_, i) => runs.flatMap(({ points }) => points[i] ?? []))
}

function mean(points: readonly RunPoint[], of: (point: RunPoint) => number): number {
  return meanOf(points.map(of)).value
}

/** A chart as a file of its own, with its legend and its looks, light or dark. */
function standalone(title: string, x: Axis, y: Axis, series: readonly Series[]): string {
  const perColumn = Math.ceil(series.length / 2)
  const top = 34 + 20 * perColumn
  const key = ({ name, colour }: Series, i: number): Markup => {
    const [x, y] = [78 + 320 * Math.floor(i / perColumn), 44 + 20 * (i % perColumn)]
    return html`<g class="series-${colour} dots"><circle cx="${x}" cy="${y}" r="5"/><text x="${x + 14}" y="${y + 4}">${name}</text></g>`
  }
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top + HEIGHT}" role="img" aria-label="${title}">
<style>${STYLE.replaceAll(':root', 'svg')}</style>
<rect width="100%" height="100%" style="fill: var(--card)"/>
<text class="name" x="72" y="22">${title}</text>
${series.map(key)}
<g transform="translate(0 ${top})">${plot(x, y, series)}</g>
</svg>`.text
}
