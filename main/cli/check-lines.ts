/** `halfstep model check` in words. */
import type { CheckLine, CheckReport } from '../engine/protocol.ts'
import { formatError, plural } from './figures.ts'
import type { Colors } from './terminal.ts'

/** `unet_lora` of `unet_lora.grad.mid_block…`. */
export function groupOf({ output }: CheckLine): string {
  return output.split('.', 1)[0] ?? output
}

/** One output: ✓ or ✗, its relative error against its tolerance, and its name. */
export function checkLine(line: CheckLine, colors: Colors): string {
  const { output, relativeError, tolerance, passed, outlier } = line
  const mark = passed ? colors.green('✓') : colors.red('✗')
  const comparison = `${formatError(relativeError).padStart(8)} ${relativeError <= tolerance ? '≤' : '>'} ${formatError(tolerance)}`
  return `  ${mark} ${passed ? comparison : colors.red(comparison)}  ${output}${outlier === null ? '' : outlierWords(outlier)}`
}

function outlierWords({ index, ours, reference }: NonNullable<CheckLine['outlier']>): string {
  return `, but [${index.join(', ')}] is ${digits(ours)} and not ${digits(reference)}`
}

/** The end of the check: how many outputs, the worst of them, what was left out, and the verdict. */
export function checkSummary({ lines, failures, notCovered, passed }: CheckReport, colors: Colors): string[] {
  const wrong = lines.filter((line) => !line.passed).length
  return [
    '',
    ...notCovered.map(({ group, reason }) => `${colors.yellow('–')} ${group}: not covered, ${reason}.`),
    ...[...Map.groupBy(failures, ({ reason }) => reason)].map(
      ([reason, groups]) => `${colors.red('✗')} ${groups.map(({ group }) => group).join(', ')}: could not be computed. ${oneLine(reason)}`,
    ),
    ...(lines.length === 0 ? [] : [`${plural(lines.length, 'output')}. ${worst(lines)}`]),
    passed ? colors.green('✓ Passed.') : colors.red(`✗ Failed: ${failed(wrong, failures.length)}.`),
  ]
}

/** The output that comes closest to its tolerance, or exceeds it by most. */
function worst(lines: readonly CheckLine[]): string {
  const used = ({ relativeError, tolerance }: CheckLine): number => relativeError / tolerance
  const line = lines.reduce((a, b) => (used(b) > used(a) ? b : a))
  return `The worst is ${line.output} with ${formatError(line.relativeError)} of ${formatError(line.tolerance)}.`
}

function failed(wrong: number, groups: number): string {
  const parts = [
    wrong > 0 ? `${plural(wrong, 'output')} ${wrong === 1 ? 'differs' : 'differ'} from the reference` : '',
    groups > 0 ? `${plural(groups, 'group')} could not be computed` : '',
  ]
  return parts.filter(Boolean).join(', and ')
}

/** Reasons may quote a driver, which breaks lines where it likes. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

function digits(value: number): string {
  return String(Number(value.toPrecision(6)))
}
