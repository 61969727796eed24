import { html, type Markup } from './html.ts'

export interface Point {
  readonly x: number
  readonly y: number
  /** Ends of its interval. */
  readonly low?: number
  readonly high?: number
}

export interface Series {
  readonly name: string
  readonly points: readonly Point[]
  /** Which of the colours `series-0` … of the style it has. */
  readonly colour: number
  /** Dots with intervals, a line, or a line drawn thin beneath others. */
  readonly kind: 'dots' | 'line' | 'faint'
}

export interface Axis {
  readonly label: string
  readonly low: number
  readonly high: number
  readonly format: (value: number) => string
}

/** In the chart's own units. */
export const [WIDTH, HEIGHT] = [720, 320]
const MARGIN = { left: 72, right: 20, top: 12, bottom: 44 }

/** Series over one another, with a legend above. */
export function lineChart(title: string, x: Axis, y: Axis, series: readonly Series[]): Markup {
  return html`<figure class="chart">
    <figcaption>${legend(series)}</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${plot(x, y, series)}</svg>
  </figure>`
}

/** What is inside of a chart, in a box from 0, 0 to WIDTH, HEIGHT. */
export function plot(x: Axis, y: Axis, series: readonly Series[]): Markup {
  const px = (value: number): number => MARGIN.left + share(value, x) * (WIDTH - MARGIN.left - MARGIN.right)
  const py = (value: number): number => HEIGHT - MARGIN.bottom - share(value, y) * (HEIGHT - MARGIN.top - MARGIN.bottom)
  const [left, right, top, bottom] = [MARGIN.left, WIDTH - MARGIN.right, MARGIN.top, HEIGHT - MARGIN.bottom]
  const across = ticks(y.low, y.high).map((tick) => html`
      <line class="grid" x1="${left}" x2="${right}" y1="${at(py(tick))}" y2="${at(py(tick))}"/>
      <text class="tick" x="${left - 8}" y="${at(py(tick) + 4)}" text-anchor="end">${y.format(tick)}</text>`)
  const upright = ticks(x.low, x.high).map((tick) => html`
      <text class="tick" x="${at(px(tick))}" y="${bottom + 18}" text-anchor="middle">${x.format(tick)}</text>`)
  return html`${across}${upright}
      <line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
      <text class="label" x="${(left + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${x.label}</text>
      <text class="label" transform="translate(14 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>
      ${series.map((one) => drawn(one, px, py))}`
}

function legend(series: readonly Series[]): Markup {
  const keys = series.map(({ name, colour, kind }) => html`<span class="key series-${colour} ${kind}">${name}</span>`)
  return html`<span class="legend">${keys}</span>`
}

function drawn({ points, colour, kind }: Series, px: (x: number) => number, py: (y: number) => number): Markup {
  const line = points.map((point) => `${at(px(point.x))},${at(py(point.y))}`).join(' ')
  if (kind !== 'dots') return html`<polyline class="series-${colour} ${kind}" points="${line}"/>`
  const whisker = ({ x, low, high }: Point): Markup | null =>
    low === undefined || high === undefined
      ? null
      : html`<line class="whisker" x1="${at(px(x))}" x2="${at(px(x))}" y1="${at(py(low))}" y2="${at(py(high))}"/>`
  return html`<g class="series-${colour} dots">
    <polyline class="thread" points="${line}"/>
    ${points.map(whisker)}${points.map(({ x, y }) => html`<circle cx="${at(px(x))}" cy="${at(py(y))}" r="4"/>`)}
  </g>`
}

function share(value: number, { low, high }: Axis): number {
  return high === low ? 0.5 : (value - low) / (high - low)
}

/** About five round numbers within a range: steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 5
  if (!(rough > 0)) return [low]
  const power = 10 ** Math.floor(Math.log10(rough))
  const distance = (step: number): number => Math.abs(Math.log(step / rough))
  const [step = rough] = [1, 2, 5, 10].map((factor) => factor * power).toSorted((a, b) => distance(a) - distance(b))
  const first = Math.ceil(low / step - 1e-9)
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** A coordinate as short as the eye needs. */
function at(value: number): string {
  return String(Number(value.toFixed(1)))
}
