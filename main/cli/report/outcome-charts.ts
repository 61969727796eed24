import type { ArmSummary, PairedChange } from '../../engine/protocol.ts'
import { html, type Markup } from './html.ts'

/** Every outcome that occurs: numbers of fingers in order, then the others. */
export function outcomesOf(...summaries: readonly Pick<ArmSummary, 'outcomes'>[]): string[] {
  const names = new Set(summaries.flatMap(({ outcomes }) => Object.keys(outcomes)))
  const rank = (name: string): number => (/^\d+$/.test(name) ? Number(name) : name === 'ill-formed' ? 100 : 101)
  return [...names].toSorted((a, b) => rank(a) - rank(b))
}

const [WIDTH, HEIGHT, BASE] = [720, 240, 206]

/** How many pictures have each number of fingers: a pair of columns for before and after. */
export function outcomeColumns(before: ArmSummary, after: ArmSummary): Markup {
  const names = outcomesOf(before, after)
  const most = Math.max(...names.flatMap((name) => [before.outcomes[name] ?? 0, after.outcomes[name] ?? 0]), 1)
  const slot = WIDTH / names.length
  const bar = Math.min(46, slot * 0.36)
  const column = (count: number, x: number, colour: number): Markup => {
    const height = ((BASE - 26) * count) / most
    const at = (value: number): string => value.toFixed(1)
    return html`<g class="series-${colour}">
      <rect class="bar" x="${at(x)}" y="${at(BASE - height)}" width="${at(bar)}" height="${at(height)}" rx="3"/>
      <text class="count" x="${at(x + bar / 2)}" y="${at(BASE - height - 6)}" text-anchor="middle">${count}</text>
    </g>`
  }
  const keys = ['before', 'after'].map((moment, colour) => html`<span class="key series-${colour} bar">${moment}</span>`)
  return html`<figure class="chart">
    <figcaption><span class="legend">${keys}</span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Pictures by number of fingers, before and after">
      <line class="axis" x1="0" x2="${WIDTH}" y1="${BASE}" y2="${BASE}"/>
      ${names.map((name, i) => {
        const middle = (i + 0.5) * slot
        const style = name === '5' ? 'name' : 'label'
        return html`${column(before.outcomes[name] ?? 0, middle - bar - 2, 0)}${column(after.outcomes[name] ?? 0, middle + 2, 1)}
        <text class="${style}" x="${middle.toFixed(1)}" y="${BASE + 22}" text-anchor="middle">${outcomeWords(name)}</text>`
      })}
    </svg>
  </figure>`
}

/** From what to what: rows before, columns after. */
export function transitionTable({ transitions }: PairedChange): Markup {
  const names = outcomesOf({ outcomes: Object.fromEntries(transitions.flatMap(({ from, to }) => [[from, 1], [to, 1]])) })
  const countOf = (from: string, to: string): number => transitions.find((one) => one.from === from && one.to === to)?.count ?? 0
  return html`<table class="transitions">
    <thead><tr><th>before ↓ &nbsp; after →</th>${names.map((name) => html`<th scope="col">${outcomeWords(name)}</th>`)}</tr></thead>
    <tbody>${names.map((from) => html`<tr><th scope="row">${outcomeWords(from)}</th>${names.map((to) => {
      const count = countOf(from, to)
      return html`<td class="${count === 0 ? 'none' : cellKind(from, to)}">${count === 0 ? '·' : count}</td>`
    })}</tr>`)}</tbody>
  </table>`
}

/** Whether the way from one outcome to another is one that was wanted. */
export function cellKind(from: string, to: string): 'same' | 'gained' | 'lost' | 'other' {
  if (from === to) return 'same'
  return to === '5' ? 'gained' : from === '5' ? 'lost' : 'other'
}

function outcomeWords(name: string): string {
  return /^\d+$/.test(name) ? `${name} fingers` : name
}
