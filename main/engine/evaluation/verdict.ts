import type { ArmSummary, PairedChange } from '../protocol.ts'
import type { Mean } from './mean.ts'

/** What an evaluation comes to. */
export interface EvaluationVerdict {
  /** `hacking`: the critic rates the pictures higher, and what it was to rate is not there. */
  readonly kind: 'gain' | 'unchanged' | 'loss' | 'hacking'
  /** The whole truth in a sentence. */
  readonly sentence: string
  /** What became worse besides, a sentence each. */
  readonly costs: readonly string[]
}

/** The chance at which a difference of the main figure counts, as it was set before anything was measured. */
export const SIGNIFICANCE = 0.01

/** For what must not become worse a weaker proof of damage suffices. */
const DAMAGE = 0.05

/** Two-sided quantiles of the normal distribution at these chances. */
const SIGNIFICANT_ERRORS = 2.576
const DAMAGE_ERRORS = 1.96

/** @param before @param after summaries of the arms that were compared @param change from the one to the other */
export function verdictOf(before: ArmSummary, after: ArmSummary, change: PairedChange): EvaluationVerdict {
  const { gained, lost, p } = change.five
  const rates = `five fingers in ${percent(after.five.share)} of the pictures instead of ${percent(before.five.share)} (${chance(p)})`
  const judged = p >= SIGNIFICANCE ? 'unchanged' : gained > lost ? 'gain' : 'loss'
  // That chance could have lifted the judge's rate is no proof that it lags behind: both must be shown.
  const fooled = isBeyond(change.score, SIGNIFICANT_ERRORS) && isBeyond(change.unseen, SIGNIFICANT_ERRORS)
  if (fooled && judged !== 'gain') {
    const critic = `the critic rose from ${before.score.value.toFixed(3)} to ${after.score.value.toFixed(3)}`
    return { kind: 'hacking', sentence: `Reward hacking: ${critic}, the judge did not: ${rates}.`, costs: costsOf(change) }
  }
  const begin = { gain: 'Significant gain', unchanged: 'No significant change', loss: 'Significant loss' }[judged]
  return { kind: judged, sentence: `${begin}: the judge sees ${rates}.`, costs: costsOf(change) }
}

/** `43.9 %` */
export function percent(share: number): string {
  return Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`
}

/** `p = 0.024`, `p = 3e-9` */
export function chance(p: number): string {
  return `p = ${p < 0.001 ? p.toExponential(0) : String(Number(p.toPrecision(2)))}`
}

function costsOf({ five, wellFormed, agreement, colours, diversity, score, unseen }: PairedChange): string[] {
  // Shared among the colours (Bonferroni): of a dozen tests at 5 %, one in two evaluations would complain about nothing.
  const perColour = DAMAGE / Math.max(1, colours.length)
  const partlyFooled = five.gained > five.lost && isBeyond(unseen, SIGNIFICANT_ERRORS)
  return [
    ...(partlyFooled ? [`Of the critic's rise of ${score.value.toFixed(3)} the judge does not see ${unseen.value.toFixed(3)}.`] : []),
    ...(isWorse(wellFormed, DAMAGE) ? [`Fewer pictures are well-formed (${flipWords(wellFormed)}).`] : []),
    ...colours.filter(({ flips }) => isWorse(flips, perColour)).map(({ of, word, flips }) =>
      `Fewer pictures have the ${word} ${of} they should have (${flipWords(flips)}).`),
    ...(isBeyond({ ...diversity, value: -diversity.value }, DAMAGE_ERRORS)
      ? [`Pictures of one prompt are more alike (ΔE −${Math.abs(diversity.value).toFixed(2)} ± ${diversity.standardError.toFixed(2)}).`]
      : []),
    ...(isWorse(agreement, DAMAGE) ? [`Critic and judge agree less often (${flipWords(agreement)}).`] : []),
  ]
}

type Flips = PairedChange['five']

function isWorse({ gained, lost, p }: Flips, level: number): boolean {
  return lost > gained && p < level
}

function flipWords({ gained, lost, p }: Flips): string {
  return `${gained} gained, ${lost} lost, ${chance(p)}`
}

/** Whether a mean lies more than so many standard errors above zero. */
function isBeyond({ value, standardError }: Mean, errors: number): boolean {
  return value > errors * standardError
}
