import type { ArmSummary } from '../../engine/protocol.ts'
import { html, type Markup } from './html.ts'

export interface Rate {
  readonly name: string
  readonly share: ArmSummary['five']
  /** Which of the colours of the style. */
  readonly colour: number
  readonly note?: string
}

const [WIDTH, ROW, LEFT, RIGHT] = [720, 46, 170, 110]

/** Shares as bars from 0 to 100 %, each with its 95 % interval. */
export function rateBars(title: string, rates: readonly Rate[]): Markup {
  const px = (share: number): number => LEFT + share * (WIDTH - LEFT - RIGHT)
  const height = rates.length * ROW + 26
  return html`<svg class="rates" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
    ${[0, 0.25, 0.5, 0.75, 1].map((tick) => html`<line class="grid" x1="${px(tick)}" x2="${px(tick)}" y1="0" y2="${height - 22}"/>
      <text class="tick" x="${px(tick)}" y="${height - 6}" text-anchor="middle">${100 * tick} %</text>`)}
    ${rates.map(({ name, share, colour, note }, i) => {
      const middle = i * ROW + ROW / 2 - 2
      return html`<g class="series-${colour}">
        <text class="name" x="${LEFT - 12}" y="${middle + (note === undefined ? 5 : -2)}" text-anchor="end">${name}</text>
        ${note === undefined ? null : html`<text class="tick" x="${LEFT - 12}" y="${middle + 14}" text-anchor="end">${note}</text>`}
        <rect class="bar" x="${LEFT}" y="${middle - 11}" width="${(px(share.share) - LEFT).toFixed(1)}" height="22" rx="3"/>
        <line class="interval" x1="${px(share.low).toFixed(1)}" x2="${px(share.high).toFixed(1)}" y1="${middle}" y2="${middle}"/>
        <text class="value" x="${WIDTH - RIGHT + 12}" y="${middle + 6}">${(100 * share.share).toFixed(1)} %</text>
      </g>`
    })}
  </svg>`
}
