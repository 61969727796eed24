import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { positiveInteger } from '../arguments.ts'
import { addCommand, addGroup } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { table } from '../figures.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { formatDuration } from '../training-lines.ts'

/** `halfstep starter …` */
export function starterCommands(program: Command, invocation: Invocation): void {
  const group = addGroup(program, 'starter', 'make the built-in starter model')

  addCommand(group, {
    name: 'build',
    summary: 'train the whole starter model from nothing',
    details: 'Draws the training set, then trains the autoencoder, the denoiser with its text encoder, the decoder once more and the '
      + 'critic, all on the processor. It takes about an hour on two cores. What was trained before Ctrl+C is kept. The '
      + 'same number of threads gives the same files to the byte.',
    examples: ['starter build', 'starter build --out my-starter --threads 2'],
  })
    .option('--out <folder>', 'where the model goes', join('starter-build', 'starter'))
    .option('--work <folder>', 'where progress is kept', join('starter-build', 'progress'))
    .option('--compare <folder>', 'a model that the result should equal to the byte', join('assets', 'starter'))
    .option('--threads <count>', 'threads of the processor; all by default', positiveInteger)
    .action((options: BuildOptions) => invocation.run(options, (bench) => build(options, bench)))
}

interface BuildOptions extends CommonOptions {
  readonly out: string
  readonly work: string
  readonly compare: string
  readonly threads?: number
}

async function build(options: BuildOptions, bench: Workbench): Promise<ExitCode> {
  const { terminal } = bench
  // Loaded here, because the runtime would slow down every other command.
  const { buildStarter } = await import('../../engine/starter/build-starter.ts')
  const abort = new AbortController()
  bench.onFirstInterrupt(() => abort.abort())
  terminal.status('Drawing the training set …')
  const started = performance.now()
  let stage = ''
  let [stageStart, firstStep] = [started, 0]
  const { curves, steps } = await buildStarter(options.out, {
    progressFolder: options.work,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    signal: abort.signal,
    onStep: (step) => {
      if (step.stage !== stage) [stage, stageStart, firstStep] = [step.stage, performance.now(), step.step]
      const perStep = (performance.now() - stageStart) / 1000 / Math.max(1, step.step - firstStep)
      const left = step.step === firstStep ? '' : `, ${formatDuration(perStep * (step.steps - step.step - 1))} left`
      terminal.status(`Training the ${stage}: step ${step.step + 1} of ${step.steps}, loss ${step.loss.toFixed(4)}${left}`)
    },
  })
  const rows = Object.entries(curves).map(([name, curve]) => [
    name, `${steps[name] ?? 0} steps`, sparkline(curve), `${curve[0] ?? 0} → ${curve.at(-1) ?? 0}`,
  ])
  terminal.print(...table(rows, [1]))
  const differing = differingFiles(options.out, options.compare)
  terminal.print(`Wrote ${options.out} in ${formatDuration((performance.now() - started) / 1000)}.`, verdict(options.compare, differing))
  terminal.document({ out: options.out, curves, steps, differing })
  return EXIT.ok
}

function verdict(compared: string, differing: readonly string[] | undefined): string {
  if (differing === undefined) return `There is nothing at ${compared} to compare it with.`
  if (differing.length === 0) return `It equals ${compared} to the byte.`
  const cause = 'another number of threads, processor or version of the runtime rounds otherwise'
  return `It differs from ${compared} in ${differing.join(', ')}: ${cause}.`
}

const BARS = '▁▂▃▄▅▆▇█'

/** A curve in forty characters, by the logarithm, since losses fall by factors. */
function sparkline(curve: readonly number[]): string {
  const points = Array.from({ length: Math.min(40, curve.length) }, (_, i) => Math.log(curve[Math.floor((i * curve.length) / 40)] ?? 1))
  const [low, high] = [Math.min(...points), Math.max(...points)]
  return points.map((point) => BARS[Math.round(((point - low) / (high - low || 1)) * (BARS.length - 1))]).join('')
}

/** Files of either folder that are not the same in the other; undefined where there is nothing to compare with. */
export function differingFiles(folder: string, other: string): string[] | undefined {
  if (!existsSync(other)) return undefined
  return [...new Set([...filesOf(folder), ...MADE.flatMap((name) => (existsSync(join(other, name)) ? [name] : []))])]
    .filter((name) => hashOf(join(folder, name)) !== hashOf(join(other, name)))
    .sort()
}

/** The parts a build makes; others, such as a full run's adapter, lie beside them. */
const MADE = ['critic.onnx', 'model_index.json', 'training.json', join('unet', 'diffusion_pytorch_model.safetensors')]

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile())
}

function hashOf(file: string): string | undefined {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : undefined
}
