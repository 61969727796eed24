/** `halfstep estimator` in words. */
import type { EstimatorFigures, EstimatorTable } from '../engine/protocol.ts'
import { formatCount, formatSeconds, table } from './figures.ts'

/** A row per estimator, what the columns mean, which are biased and why, and which one to take. */
export function estimatorLines({ figures, best, parameters, steps }: EstimatorTable): string[] {
  const rows = [['estimator', '‖mean‖', 'variance', 'cosine', 'share', 'forwards', 'VJPs', 'time', 'variance × s'], ...figures.map(rowOf)]
  const biased = figures.filter((one) => one.biased !== null)
  return [
    ...table(rows, [1, 2, 3, 4, 5, 6, 7, 8]),
    '',
    `${figures[0]?.draws ?? 0} draws, ${steps} steps, ${formatCount(parameters)} parameters; ± is one standard error.`,
    'cosine and share compare the mean with the exact gradient, which is that of full: an unbiased share is 1.',
    ...(biased.length === 0 ? [] : ['', 'Biased (*):', ...biased.map(({ label, biased: why }) => `  ${label}: ${why ?? ''}`)]),
    '',
    best === null ? 'None of them is unbiased.' : `Least variance × time among the unbiased: ${best}.`,
  ]
}

function rowOf({ label, biased, meanNorm, variance, cosine, share, forwards, vjps, seconds, varianceSeconds }: EstimatorFigures): string[] {
  return [
    biased === null ? label : `${label} *`,
    withError(meanNorm),
    withError(variance),
    cosine === null ? '–' : withError(cosine, 2),
    share === null ? '–' : withError(share, 2),
    digits(forwards),
    digits(vjps),
    formatSeconds(seconds),
    withError(varianceSeconds),
  ]
}

/** `0.98 ± 0.01`. @param decimals fixed ones, for figures of order 1; significant digits otherwise */
function withError({ value, standardError }: { value: number; standardError: number }, decimals?: number): string {
  const format = (number: number): string => (decimals === undefined ? digits(number) : number.toFixed(decimals))
  return Number.isNaN(standardError) ? format(value) : `${format(value)} ± ${format(standardError)}`
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)))
}
