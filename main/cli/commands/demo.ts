import os from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { readJson } from '../../../native-models/weights/json-file.ts'
import { ASSETS } from '../../engine/assets.ts'
import { HalfstepError } from '../../engine/errors.ts'
import { EVALUATION_SEED } from '../../engine/evaluation/held-out.ts'
import type { Device, EvaluatedArm, TrainingEvent } from '../../engine/protocol.ts'
import { deviceOption, positiveInteger } from '../arguments.ts'
import { chooseDevice } from '../choose-device.ts'
import { addCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { DemoFolder, type DemoSettings, type Moment } from '../report/demo-folder.ts'
import { programName, rateLine, resumeCommand } from '../report/demo-lines.ts'
import { openDemo, type Demo } from '../report/open-demo.ts'
import { judgeSamples } from '../report/training-history.ts'
import { writeDemoReport } from '../report/write-demo-report.ts'
import { eventLines, progressLine } from '../training-lines.ts'

/** `halfstep demo` */
export function demoCommand(program: Command, invocation: Invocation): void {
  addCommand(program, {
    name: 'demo',
    summary: 'teach the built-in starter model to draw hands with five fingers',
    details:
      'Draws hands, trains an adapter against the critic, draws the same hands from the same noise again, has the judge count '
      + 'their fingers, and writes a report with everything in one HTML file. The prompts and noises that are judged are never '
      + 'trained on. Ctrl+C pauses it after the update at hand; --resume goes on.',
    examples: ['demo', 'demo --full --out runs/hands', 'demo --resume --out runs/hands'],
  })
    .option('--full', 'the long run, up to an hour on two cores; the quick one takes some minutes')
    .option('--out <folder>', 'where everything goes; demo-quick or demo-full in the working folder by default')
    .option('--resume', 'go on with the demo in that folder')
    .option('--recipe <file>', 'train the starter by another recipe')
    .option('--pictures <count>', `pictures that are judged before and after; ${PICTURES} by default`, positiveInteger)
    .option('--threads <count>', 'threads of the processor; all of them by default', positiveInteger)
    .addOption(deviceOption())
    .action((options: DemoOptions) => invocation.run(options, (bench) => demo(options, bench)))
}

interface DemoOptions extends CommonOptions {
  readonly full?: true
  readonly out?: string
  readonly resume?: true
  readonly recipe?: string
  readonly pictures?: number
  readonly threads?: number
  readonly device?: Device
}

/** As many as tell a change of ten points from chance. */
const PICTURES = 512

async function demo(options: DemoOptions, bench: Workbench): Promise<ExitCode> {
  const started = performance.now()
  const { terminal, signal } = bench
  const folder = await openFolder(options, bench)
  const program = programName(process.env)
  try {
    const parts = await openDemo(bench, folder, program)
    const before = await evaluate(parts, 'before')
    const ended = await train(parts)
    if (ended !== undefined) return ended
    const after = await evaluate(parts, 'after')
    terminal.status('Writing the report …')
    await writeDemoReport(parts, before, after, (performance.now() - started) / 1000)
    return EXIT.ok
  } catch (error) {
    if (signal.aborted) terminal.print(`Continue with: ${resumeCommand(program, folder.path)}`)
    throw error
  }
}

/** The demo to go on with, or a new one. Throws `usage`, `file.exists` and `file.missing`. */
async function openFolder(options: DemoOptions, bench: Workbench): Promise<DemoFolder> {
  const { full, out, resume, recipe, pictures, threads, device } = options
  const mode = full === true ? 'full' : 'quick'
  const path = resolve(out ?? `demo-${mode}`)
  if (resume !== true) {
    const settings: DemoSettings = {
      version: 1,
      mode,
      recipe: resolve(recipe ?? fileURLToPath(new URL(`recipes/demo-${mode}.json`, ASSETS))),
      pictures: pictures ?? PICTURES,
      device: chooseDevice(device, bench),
      threads: threads ?? os.availableParallelism(),
    }
    return DemoFolder.begin(path, settings)
  }
  const given = Object.entries({ recipe, pictures, threads, device }).find(([, value]) => value !== undefined)
  if (given === undefined) return DemoFolder.find(path)
  const message = `A demo goes on with what it was begun with, so that --${given[0]} has no place beside --resume.`
  throw new HalfstepError('usage', message, 'Leave it away, or begin another demo.')
}

/** Draws and judges with the adapter or, before, without; what was done already is not done again. */
async function evaluate(demo: Demo, moment: Moment): Promise<EvaluatedArm> {
  const { bench: { engine, terminal }, folder, recipe, model, template, prompts } = demo
  const done = await folder.evaluated(moment)
  if (done !== undefined) return done
  const { pictures, device, threads } = folder.settings
  const { steps, eta, guidance } = recipe.sampling
  const { arms: [arm], summaries: [summary] } = await engine(
    'starter.evaluate',
    {
      model,
      critic: join(model, 'critic.onnx'),
      arms: [{
        label: moment,
        adapters: moment === 'before' ? [] : [{ path: folder.adapter, strength: 1 }],
        sheet: folder.sheet(moment),
        ...(template === undefined ? {} : { template }),
      }],
      prompts: [...prompts],
      pictures,
      seed: EVALUATION_SEED,
      sampling: { steps, eta, guidance },
      batch: 32,
      device,
      threads,
    },
    (progress) => terminal.status(`Drawing and judging ${moment} training: ${progress.done} of ${progress.pictures} pictures …`),
  )
  if (arm === undefined || summary === undefined) throw new HalfstepError('internal', 'An evaluation came back empty.')
  const { five } = summary
  const when = moment === 'before' ? 'Before' : 'After'
  terminal.print(`${when} training the judge sees five fingers in ${five.successes} of ${five.trials} pictures.`)
  await folder.keepEvaluated(moment, arm)
  return arm
}

/** Trains to the end, from where an interrupted run was; gives the exit code when it was paused instead. */
async function train({ bench, folder, program }: Demo): Promise<ExitCode | undefined> {
  const { terminal, engine } = bench
  const { recipe: file, device, threads } = folder.settings
  const isNew = !folder.runHasBegun
  const begin = !isNew ? {} : { recipe: { ...objectOf(await readJson(file)), threads }, recipeFolder: dirname(file) }
  let paused: Extract<TrainingEvent, { type: 'paused' }> | undefined
  let judging = Promise.resolve()
  const onEvent = (event: TrainingEvent): void => {
    if (event.type === 'sample') judging = judging.then(() => printRate(bench, event.update, event.files))
    else terminal.print(...eventLines(event, terminal.colors))
    if (event.type === 'progress') terminal.status(progressLine(event))
    if (event.type === 'paused') paused = event
  }
  terminal.status('Opening the model …')
  await engine('train.run', { folder: folder.run, ...begin, device, whenPaused: 'end' }, onEvent, (send) => {
    // Pictures before the first update, so that the judge's curve begins where training does.
    if (isNew) send({ type: 'sample-now' })
    bench.onFirstInterrupt(() => {
      terminal.status('Pausing after this update … (Ctrl+C again ends it at once)')
      send({ type: 'pause' })
    })
  })
  await judging
  // From here on there is no update to wait for.
  bench.onFirstInterrupt(undefined)
  if (paused === undefined) return undefined
  terminal.print(`Continue with: ${resumeCommand(program, folder.path)}`)
  return paused.reason === 'asked' ? EXIT.interrupted : EXIT.failed
}

async function printRate({ terminal }: Workbench, update: number, files: readonly string[]): Promise<void> {
  terminal.print(rateLine({ update, seconds: 0, five: await judgeSamples(files) }))
}

function objectOf(raw: unknown): object {
  return typeof raw === 'object' && raw !== null ? raw : {}
}
