/** The figures of a demo as a table, for page and terminal alike. */
import { chance, percent } from '../../engine/evaluation/verdict.ts'
import type { ArmSummary, PairedChange } from '../../engine/protocol.ts'
import type { DemoSummary } from './demo-summary.ts'

export interface ResultRow {
  readonly name: string
  readonly before: string
  readonly after: string
  readonly change: string
  /** Whether the change is more than chance would bring about, and for better or worse. */
  readonly direction: 'better' | 'worse' | 'even'
  /** Of the recorded full run; null without one. */
  readonly recorded: string | null
  /** Begins a group of its own. */
  readonly group?: string
}

type Share = ArmSummary['five']
type Flips = PairedChange['five']

/** Beyond which a change is marked. */
const MARKED = 0.05

export function resultRows({ before, after, change }: DemoSummary, recorded: DemoSummary | null): ResultRow[] {
  const shareRow = (name: string, of: (arm: ArmSummary) => Share | undefined, flips: Flips | null, group?: string): ResultRow => ({
    name,
    before: interval(of(before)),
    after: interval(of(after)),
    change: flips === null ? '' : flipText(flips, (of(after)?.share ?? NaN) - (of(before)?.share ?? NaN)),
    direction: flips === null || flips.p >= MARKED ? 'even' : flips.gained > flips.lost ? 'better' : 'worse',
    recorded: recorded === null ? null : interval(of(recorded.after)),
    ...(group === undefined ? {} : { group }),
  })
  const meanRow = (name: string, key: 'score' | 'diversity', decimals: number): ResultRow => {
    const { value, standardError } = change[key]
    const text = (mean: ArmSummary['score']): string => `${mean.value.toFixed(decimals)} ± ${mean.standardError.toFixed(decimals)}`
    const marked = Math.abs(value) > 1.96 * standardError
    return {
      name,
      before: text(before[key]),
      after: text(after[key]),
      change: `${signed(value, decimals)} ± ${standardError.toFixed(decimals)}`,
      direction: !marked ? 'even' : value > 0 ? 'better' : 'worse',
      recorded: recorded === null ? null : text(recorded.after[key]),
    }
  }
  return [
    shareRow('five fingers, by the judge', ({ five }) => five, change.five),
    shareRow('well-formed', ({ wellFormed }) => wellFormed, change.wellFormed),
    shareRow('no hand', ({ noHand }) => noHand, null),
    meanRow('critic\'s score', 'score', 3),
    shareRow('critic and judge agree', ({ agreement }) => agreement, change.agreement),
    meanRow('diversity, ΔE', 'diversity', 2),
    shareRow('background as asked', ({ background }) => background, change.background, 'Colours of the prompt'),
    shareRow('skin as asked', ({ skin }) => skin, change.skin),
    ...change.colours.map(({ of, word, flips }) =>
      shareRow(`${word} ${of}`, ({ colours }) => colours.find((one) => one.of === of && one.word === word)?.right, flips)),
  ]
}

function interval(share: Share | undefined): string {
  if (share === undefined || share.trials === 0) return '–'
  const [low, high] = [share.low, share.high].map((end) => (100 * end).toFixed(1))
  return `${percent(share.share)} (${low}–${high})`
}

function flipText({ gained, lost, p }: Flips, difference: number): string {
  return `${signed(100 * difference, 1)}  (+${gained} −${lost}, ${chance(p)})`
}

function signed(value: number, decimals: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(decimals)}`
}
