import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { positiveInteger } from '../arguments.ts'
import { addCommand, addGroup } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { indented, table } from '../figures.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { share } from '../judge-lines.ts'
import type { StageStep } from '../../engine/starter/stage.ts'
import { proportion, type Proportion } from '../../engine/statistics/proportion.ts'
import { formatDuration } from '../training-lines.ts'

/** `halfstep starter …` */
export function starterCommands(program: Command, invocation: Invocation): void {
  const group = addGroup(program, 'starter', 'make the built-in starter model')

  addCommand(group, {
    name: 'build',
    summary: 'train the whole starter model from nothing',
    details: 'Draws the training set, then trains the autoencoder, the denoiser with its text encoder and, beside it, the decoder once '
      + 'more and the critic, all on the processor. It takes hours on two cores; more do not help. What was trained before Ctrl+C is '
      + 'kept. The files are those that ship, to the byte, on the same kind of processor.',
    examples: ['starter build', 'starter build --out my-starter'],
  })
    .option('--out <folder>', 'where the model goes', join('starter-build', 'starter'))
    .option('--work <folder>', 'where progress is kept', join('starter-build', 'progress'))
    .option('--compare <folder>', 'a model that the result should equal to the byte', join('assets', 'starter'))
    .action((options: BuildOptions) => invocation.run(options, (bench) => build(options, bench)))

  addCommand(group, {
    name: 'check',
    summary: 'see whether a starter model is fit to be fine-tuned',
    details: 'The judge counts the fingers of fresh drawings, the critic those of clean, blurred, noised and decoded ones, and both '
      + 'read what the model itself draws for prompts that nothing is trained on. Ends with 1 when a gate is missed.',
    examples: ['starter check', 'starter check --model my-starter --pictures 2048'],
  })
    .option('--model <folder>', 'the starter', join('assets', 'starter'))
    .option('--drawings <count>', 'fresh drawings for the judge', positiveInteger, 2000)
    .option('--pictures <count>', 'pictures that the model draws', positiveInteger, 512)
    .option('--steps <count>', 'denoising steps', positiveInteger, DEMO_SAMPLING.steps)
    .option('--threads <count>', 'threads of the processor; all by default', positiveInteger)
    .action((options: CheckOptions) => invocation.run(options, (bench) => check(options, bench)))
}

/** How the demo samples: with guidance of 1, as it is trained. */
const DEMO_SAMPLING = { steps: 8, eta: 1, guidance: 1 } as const

interface CheckOptions extends CommonOptions {
  readonly model: string
  readonly drawings: number
  readonly pictures: number
  readonly steps: number
  readonly threads?: number
}

async function check({ model, drawings, pictures, steps, threads }: CheckOptions, { terminal }: Workbench): Promise<ExitCode> {
  const { checkStarter } = await import('../../engine/starter/check-starter.ts')
  const { judge, readings, base, gates } = await checkStarter({
    model, drawings, pictures, threads: threads ?? os.availableParallelism(), sampling: { ...DEMO_SAMPLING, steps },
    onProgress: (doing) => terminal.status(doing),
  })
  const counts = Object.entries(base.outcomes).sort(([a], [b]) => (a < b ? -1 : 1))
  terminal.print(
    `Judge, ${drawings} fresh drawings`,
    ...indented(table([['counts right', share(judge.counts)], ['well-formed', share(judge.wellFormed)]])),
    `Critic and judge, ${readings[0]?.critic.trials ?? 0} drawings, counts right`,
    ...indented(table([
      ['', 'critic', 'judge', 'well-formed'],
      ...readings.map((row) => [row.pictures, ...[row.critic, row.judge, row.wellFormed].map(percentOf)]),
    ], [1, 2, 3])),
    `The model's own pictures: ${pictures}, ${steps} steps, no guidance, held-out prompts`,
    ...indented(table([
      ...counts.map(([outcome, count]) => [/^\d+$/.test(outcome) ? `${outcome} fingers` : outcome, share(proportion(count, pictures))]),
      ['well-formed', share(base.wellFormed)],
      ['no hand', share(base.noHand)],
      ['background as asked', share(base.background)],
      ['skin as asked', share(base.skin)],
      ['diversity, ΔE', `${base.diversity.value.toFixed(2)} ± ${base.diversity.standardError.toFixed(2)}`],
    ])),
    'Gates',
    ...gates.map(({ name, share: reached, wanted, passed }) =>
      `  ${passed ? terminal.colors.green('✓') : terminal.colors.red('✗')} ${name}: ${reached.toFixed(3)}, wanted ${wanted}`),
  )
  terminal.document({ judge, readings, base, gates })
  return gates.every(({ passed }) => passed) ? EXIT.ok : EXIT.failed
}

function percentOf({ share: value, low, high }: Proportion): string {
  return `${(100 * value).toFixed(1)} % (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`
}

interface BuildOptions extends CommonOptions {
  readonly out: string
  readonly work: string
  readonly compare: string
}

async function build(options: BuildOptions, bench: Workbench): Promise<ExitCode> {
  const { terminal } = bench
  // Loaded here, because the runtime would slow down every other command.
  const { buildStarter } = await import('../../engine/starter/build-starter.ts')
  const abort = new AbortController()
  bench.onFirstInterrupt(() => abort.abort())
  terminal.status('Drawing the training set …')
  const started = performance.now()
  const trainings = new Map<string, TrainingStatus>()
  const before = hashesOf(options.compare)
  const { curves, settings } = await buildStarter(options.out, {
    progressFolder: options.work,
    signal: abort.signal,
    onStep: (step) => {
      const training = trainings.get(step.stage) ?? { started: performance.now(), first: step.step, line: '' }
      const line = stageLine(step, training)
      trainings.delete(step.stage)
      if (step.step + 1 < step.steps) trainings.set(step.stage, { ...training, line })
      terminal.status(`Training the ${[...trainings.values()].map(({ line }) => line).sort().join('; ')}`)
    },
  })
  const rows = Object.entries(settings).map(([name, { steps, batch }]) => {
    const curve = curves[name] ?? []
    return [name, `${steps} × ${batch}`, sparkline(curve), `${curve[0] ?? NaN} → ${curve.at(-1) ?? NaN}`]
  })
  terminal.print(...table(rows, [1]))
  const differing = differingFiles(before, hashesOf(options.out))
  terminal.print(`Wrote ${options.out} in ${formatDuration((performance.now() - started) / 1000)}.`, verdict(options.compare, differing))
  terminal.document({ out: options.out, curves, settings, differing })
  return EXIT.ok
}

/** A training under way: when it began in this process, with which step, and what it last said. */
interface TrainingStatus {
  readonly started: number
  readonly first: number
  readonly line: string
}

function stageLine({ stage, step, steps, loss }: StageStep, { started, first }: TrainingStatus): string {
  const perStep = (performance.now() - started) / 1000 / Math.max(1, step - first)
  const left = step === first ? '' : `, ${formatDuration(perStep * (steps - step - 1))} left`
  return `${stage}: step ${step + 1} of ${steps}, loss ${loss.toFixed(4)}${left}`
}

function verdict(compared: string, differing: readonly string[] | undefined): string {
  if (differing === undefined) return `There is nothing at ${compared} to compare it with.`
  if (differing.length === 0) return `It equals ${compared} to the byte.`
  const cause = 'another processor or version of the runtime rounds otherwise'
  return `It differs from ${compared} in ${differing.join(', ')}: ${cause}.`
}

const BARS = '▁▂▃▄▅▆▇█'

/** A curve in forty characters, by the logarithm, since losses fall by factors. */
function sparkline(curve: readonly number[]): string {
  const points = Array.from({ length: Math.min(40, curve.length) }, (_, i) => Math.log(curve[Math.floor((i * curve.length) / 40)] ?? 1))
  const [low, high] = [Math.min(...points), Math.max(...points)]
  return points.map((point) => BARS[Math.round(((point - low) / (high - low || 1)) * (BARS.length - 1))]).join('')
}

/** What a file's bytes come to, by the file's path in its folder. */
type Hashes = ReadonlyMap<string, string>

/** Of every file; undefined where there is no such folder. Taken before a build, which may write to the very folder it is compared with. */
function hashesOf(folder: string): Hashes | undefined {
  if (!existsSync(folder)) return undefined
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile())
  return new Map(files.map((name) => [name, createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')]))
}

/** Files that were built otherwise than they were, or were not there; undefined where there is nothing to compare with. */
function differingFiles(before: Hashes | undefined, built: Hashes = new Map()): string[] | undefined {
  // What else lies there, such as a full run's adapter, is not a build's.
  return before && [...built.keys()].filter((name) => built.get(name) !== before.get(name)).sort()
}
