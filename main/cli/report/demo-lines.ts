/** `halfstep demo` in words. */
import { relative } from 'node:path'
import type { EvaluationVerdict } from '../../engine/evaluation/verdict.ts'
import { percent } from '../../engine/evaluation/verdict.ts'
import { table } from '../figures.ts'
import type { Colors } from '../terminal.ts'
import { formatDuration } from '../training-lines.ts'
import type { DemoSummary } from './demo-summary.ts'
import { resultRows } from './result-rows.ts'
import type { SampleRate } from './training-history.ts'

/** The table of the report, the verdict, and where everything is. */
export function demoLines(summary: DemoSummary, verdict: EvaluationVerdict, recorded: DemoSummary | null, colors: Colors): string[] {
  const heading = ['', 'before', 'after', 'change', ...(recorded === null ? [] : ['recorded full run'])]
  const rows = resultRows(summary, recorded).map((row) =>
    [row.name, row.before, row.after, row.change, ...(row.recorded === null ? [] : [row.recorded])])
  const colour = verdict.kind === 'gain' ? colors.green : verdict.kind === 'unchanged' ? colors.yellow : colors.red
  return [
    '',
    ...table([heading, ...rows], [1, 2, 3, 4]),
    '',
    `${summary.before.pictures} pictures before and after, from the same prompts and noises, none of which was trained on.`,
    `Trained for ${formatDuration(summary.trainingSeconds)}: ${summary.updates} updates, ${summary.samples} pictures.`,
    ...(recorded === null ? [] : [recordedLine(recorded)]),
    '',
    colour(verdict.sentence),
    ...verdict.costs.map((cost) => `${colors.yellow('!')} ${cost}`),
    '',
  ]
}

function recordedLine({ date, trainingSeconds, machine }: DemoSummary): string {
  return `The full run was recorded on ${date.slice(0, 10)}: ${formatDuration(trainingSeconds)} of training, ${machine}.`
}

/** `update 20: five fingers in 31 of 64 samples (48.4 %)` */
export function rateLine({ update, five }: SampleRate): string {
  return `update ${update}: five fingers in ${five.successes} of ${five.trials} samples (${percent(five.share)})`
}

/** How the program is called here: by its name, or from the source folder through npm. */
export function programName(env: Readonly<Record<string, string | undefined>>): string {
  return env.npm_lifecycle_event === undefined ? 'halfstep' : 'npm run halfstep --'
}

/** The command that continues a demo. */
export function resumeCommand(program: string, folder: string): string {
  return `${program} demo --resume --out ${quoted(shown(folder))}`
}

export interface Drawn {
  readonly model: string
  readonly adapter: string
  readonly prompt: string
  /** A template's name or path. */
  readonly template: string | undefined
  readonly sampling: { readonly steps: number; readonly eta: number; readonly guidance: number }
}

/** The command that draws with an adapter as it was judged. */
export function generateCommand(program: string, { model, adapter, prompt, template, sampling }: Drawn): string {
  const { steps, eta, guidance } = sampling
  const options = [
    ['--model', shown(model)],
    ['--adapter', shown(adapter)],
    ...(template === undefined ? [] : [['--template', /[/\\]/.test(template) ? shown(template) : template]]),
    ['--prompt', prompt],
    ['--steps', String(steps)],
    ['--eta', String(eta)],
    ['--guidance', String(guidance)],
    ['--count', '8'],
    ['--out', 'pictures'],
  ]
  return `${program} generate ${options.map(([name, value]) => `${name} ${quoted(value ?? '')}`).join(' ')}`
}

/** As short as it can be from here. */
function shown(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' ? '.' : short.startsWith('..') ? path : short
}

/** In quotes where a shell would take it apart. Both quotes work in every shell; a path with a double quote is nobody's. */
function quoted(text: string): string {
  return /^[\w./\\:@+=-]+$/.test(text) ? text : `"${text}"`
}
