/** What was measured of gradient estimators, as a table. */
import type { EstimatorFigures } from '../../../main/engine/protocol.ts'
import { markdownTable } from '../report.ts'
import { digits, withError } from './figures.ts'

const HEADING = ['estimator', 'variance', 'cosine', 'share', 'forwards', 'VJPs', 'ms', 'variance × s']

/** What they mean. */
export const COLUMNS =
  'exact is the mean of full over the same draws, so that cosine is raised by the noise that an estimator shares with full and lowered '
  + 'by its own; share is ⟨mean, exact⟩/‖exact‖² over pairs of different draws, 1 when unbiased; ± is one standard error. Estimators '
  + 'marked * are biased; ddpo and public-code weigh their terms, so that their variance is on another scale.'

/** Biased ones are marked with *. */
export function estimatorsTable(figures: readonly EstimatorFigures[]): string {
  return markdownTable([HEADING, ...figures.map(row)])
}

function row({ label, biased, variance, cosine, share, forwards, vjps, seconds, varianceSeconds }: EstimatorFigures): string[] {
  return [
    biased === null ? label : `${label} *`,
    withError(variance), cosine === null ? '' : withError(cosine, 3), share === null ? '' : withError(share, 2),
    digits(forwards), digits(vjps), digits(1000 * seconds), withError(varianceSeconds),
  ]
}
