/** The page that a demo leaves behind: one file, with its pictures in it, that asks nothing of any network. */
import { percent, chance, type EvaluationVerdict } from '../../engine/evaluation/verdict.ts'
import type { EvaluatedArm } from '../../engine/protocol.ts'
import { formatDuration } from '../training-lines.ts'
import type { DemoSummary } from './demo-summary.ts'
import { html, Markup } from './html.ts'
import { lineChart, type Point } from './line-chart.ts'
import { outcomeColumns, transitionTable } from './outcome-charts.ts'
import { pictureGrid, sheetStyle, type Sheet } from './picture-grid.ts'
import { rateBars } from './rate-bars.ts'
import { resultRows, type ResultRow } from './result-rows.ts'
import { STYLE } from './style.ts'
import type { HistoryPoint, SampleRate } from './training-history.ts'

export interface DemoReport {
  readonly summary: DemoSummary
  readonly verdict: EvaluationVerdict
  /** The recorded full run that comes with the program. */
  readonly recorded: DemoSummary | null
  readonly before: EvaluatedArm
  readonly after: EvaluatedArm
  readonly prompts: readonly string[]
  readonly sheets: { readonly before: Sheet; readonly after: Sheet }
  /** Pictures on each sheet. */
  readonly shown: number
  readonly history: readonly HistoryPoint[]
  readonly rates: readonly SampleRate[]
  /** Settings in words. */
  readonly settings: readonly (readonly [name: string, value: string])[]
  /** The recipe, as JSON. */
  readonly recipe: string
  readonly adapter: string
  /** The command that uses the adapter. */
  readonly command: string
}

/** The whole page. */
export function demoReport(report: DemoReport): string {
  const { summary, sheets } = report
  const title = summary.mode === 'full' ? 'Hands with five fingers: the full run' : 'Hands with five fingers: the quick demo'
  const style = `${STYLE}${sheetStyle('before', sheets.before)}\n${sheetStyle('after', sheets.after)}\n`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="soft">Halfstep, ${summary.date.slice(0, 16).replace('T', ' ')} UTC. ${summary.before.pictures} pictures before and as many
after, of prompts and noises that were never trained on; the same ones both times.</p>
${SECTIONS.map((section) => section(report))}
</main>
</body>
</html>
`
  return page.text
}

const SECTIONS = [verdictSection, rateSection, gridSection, trainingSection, outcomeSection, figuresSection, settingsSection]

function verdictSection({ verdict: { kind, sentence, costs } }: DemoReport): Markup {
  const list = costs.length === 0 ? null : html`<ul>${costs.map((cost) => html`<li>${cost}</li>`)}</ul>`
  return html`<section class="verdict ${kind}"><p>${sentence}</p>${list}</section>`
}

function rateSection({ summary: { before, after, change, trainingSeconds }, recorded }: DemoReport): Markup {
  const rates = [
    { name: 'before', share: before.five, colour: 0 },
    { name: 'after', share: after.five, colour: 1 },
    ...(recorded === null
      ? []
      : [{ name: 'full run', share: recorded.after.five, colour: 3, note: `recorded, ${formatDuration(recorded.trainingSeconds)}` }]),
  ]
  return html`<section>
<h2>Well-formed hands with five fingers</h2>
<p class="soft">Counted by the judge, which shares nothing with the critic that the model was trained against. Bars end at the share,
lines are 95 % intervals.</p>
<div class="numbers">
<div><b>${percent(before.five.share)} → ${percent(after.five.share)}</b><span>five fingers</span></div>
<div><b>+${change.five.gained} −${change.five.lost}</b><span>pictures gained and lost, ${chance(change.five.p)}</span></div>
<div><b>${formatDuration(trainingSeconds)}</b><span>of training</span></div>
</div>
${rateBars('Share of well-formed hands with five fingers', rates)}
</section>`
}

function gridSection({ before, after, shown, sheets, prompts }: DemoReport): Markup {
  return html`<section>
<h2>Before and after, from the same noise</h2>
<p class="soft">The first ${shown} pictures, none left out. Left before, right after; below, the fingers that the judge counts
(? ill-formed, – no hand). Green pairs came to have five fingers, red ones no longer do.</p>
${pictureGrid(before, after, shown, sheets.before.columns, prompts)}
</section>`
}

function trainingSection({ history, rates }: DemoReport): Markup | null {
  const last = history.at(-1)
  if (last === undefined) return null
  const scores = (points: readonly HistoryPoint[]): Point[] => points.map(({ seconds, score }) => ({ x: seconds / 60, y: score }))
  const judged = rates.map(({ seconds, five: { share, low, high } }) => ({ x: seconds / 60, y: share, low, high }))
  const chart = lineChart(
    'Critic and judge through training',
    { label: 'minutes of training', low: 0, high: last.seconds / 60, format: String },
    { label: 'share', low: 0, high: 1, format: (value) => `${Math.round(100 * value)} %` },
    [
      { name: 'critic: mean score of each update\'s pictures', colour: 2, kind: 'faint', points: scores(history) },
      { name: 'critic, smoothed', colour: 2, kind: 'line', points: scores(smoothed(history)) },
      { name: 'judge: share with five fingers', colour: 1, kind: 'dots', points: judged },
    ],
  )
  const [first] = rates
  return html`<section>
<h2>While it learned</h2>
<p class="soft">The model was trained to please the critic. ${first === undefined ? null : html`The judge looked at ${first.five.trials}
pictures of training prompts, always from the same noise; lines are 95 % intervals.`} Where the critic rises and the judge does not, the
critic is being fooled.</p>
${chart}
</section>`
}

/** Centred means of eleven updates, fewer at the ends. */
function smoothed(history: readonly HistoryPoint[]): HistoryPoint[] {
  return history.map((point, i) => {
    const reach = Math.min(5, i, history.length - 1 - i)
    const near = history.slice(i - reach, i + reach + 1)
    return { ...point, score: near.reduce((sum, { score }) => sum + score, 0) / near.length }
  })
}

function outcomeSection({ summary: { before, after, change } }: DemoReport): Markup {
  return html`<section>
<h2>How many fingers</h2>
${outcomeColumns(before, after)}
<h2>Where each picture went</h2>
<p class="soft">The same noise, before (rows) and after (columns).</p>
<div class="scroll">${transitionTable(change)}</div>
</section>`
}

function figuresSection({ summary, recorded }: DemoReport): Markup {
  const rows = resultRows(summary, recorded)
  const head = recorded === null ? null : html`<th scope="col">full run (recorded)</th>`
  return html`<section>
<h2>All figures</h2>
<p class="soft">Shares with 95 % intervals (Wilson); +n −m are pictures gained and lost, p by McNemar's exact test; ± is one standard
error. Diversity is the mean difference in colour between pictures of one prompt. Coloured changes are more than chance brings about
once in twenty tests.</p>
<div class="scroll"><table>
<thead><tr><th></th><th scope="col">before</th><th scope="col">after</th><th scope="col">change</th>${head}</tr></thead>
<tbody>${rows.map((row) => resultRow(row, recorded === null ? 4 : 5))}</tbody>
</table></div>
</section>`
}

function resultRow({ name, before, after, change, direction, recorded, group }: ResultRow, columns: number): Markup {
  const heading = group === undefined ? null : html`<tr class="group"><th colspan="${columns}">${group}</th></tr>`
  return html`${heading}<tr><th scope="row">${name}</th><td>${before}</td><td>${after}</td><td class="${direction}">${change}</td>${
    recorded === null ? null : html`<td class="recorded">${recorded}</td>`
  }</tr>`
}

function settingsSection({ settings, recipe, adapter, command }: DemoReport): Markup {
  return html`<section>
<h2>How it was made, and how to use it</h2>
<p>The adapter is in <code>${adapter}</code>. To draw with it:</p>
<pre>${command}</pre>
<dl>${settings.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<details><summary>The recipe</summary><pre>${recipe}</pre></details>
</section>`
}
