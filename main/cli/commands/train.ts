import { existsSync } from 'node:fs'
import { basename, dirname, extname, resolve } from 'node:path'
import type { Command } from 'commander'
import { readJson } from '../../../native-models/weights/json-file.ts'
import { HalfstepError } from '../../engine/errors.ts'
import type { Device, TrainingEvent } from '../../engine/protocol.ts'
import { deviceOption } from '../arguments.ts'
import { chooseDevice } from '../choose-device.ts'
import { addCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { eventLines, progressLine } from '../training-lines.ts'

/** `halfstep train` */
export function trainCommand(program: Command, invocation: Invocation): void {
  addCommand(program, {
    name: 'train',
    summary: 'fine-tune a model by a recipe',
    details:
      'A run is a folder with the recipe, its checkpoints, a diary of events and at the end adapter.safetensors. Ctrl+C ' +
      'pauses it after the update at hand; a second one ends it at once, and what came after the last checkpoint is made again. ' +
      'A run that is continued ends, on the processor, with the same adapter to the byte. With --json every event is a JSON ' +
      'document on a line of its own.',
    examples: ['train hands.json', 'train hands.json --out runs/hands --device cuda', 'train --resume runs/hands'],
  })
    .argument('[recipe]', 'a .json file; not needed to continue a run')
    .option('--resume <run>', 'continue the run in this folder')
    .option('--out <folder>', 'where a new run goes; by default RECIPE-run in the working folder')
    .addOption(deviceOption())
    .action((recipe: string | undefined, options: TrainOptions) => invocation.run(options, (bench) => train(recipe, options, bench)))
}

interface TrainOptions extends CommonOptions {
  readonly resume?: string
  readonly out?: string
  readonly device?: Device
}

async function train(recipe: string | undefined, options: TrainOptions, bench: Workbench): Promise<ExitCode> {
  const { engine, terminal } = bench
  const request = { ...(await runOf(recipe, options)), device: chooseDevice(options.device, bench), whenPaused: 'end' as const }
  terminal.status('Opening the model …')
  let paused: Extract<TrainingEvent, { type: 'paused' }> | undefined
  const onEvent = (event: TrainingEvent): void => {
    terminal.document(event)
    terminal.print(...eventLines(event, terminal.colors))
    if (event.type === 'started') terminal.status('Training …')
    if (event.type === 'progress') terminal.status(progressLine(event))
    if (event.type === 'paused') paused = event
  }
  await engine('train.run', request, onEvent, (send) => {
    bench.onFirstInterrupt(() => {
      terminal.status('Pausing after this update … (Ctrl+C again ends it at once)')
      send({ type: 'pause' })
    })
  })
  if (paused === undefined) return EXIT.ok
  terminal.print(`Continue with: halfstep train --resume ${request.folder}`)
  return paused.reason === 'asked' ? EXIT.interrupted : EXIT.failed
}

/** Which run in which folder is meant. Throws `usage` where that cannot be told. */
async function runOf(
  recipe: string | undefined,
  { resume, out }: TrainOptions,
): Promise<{ folder: string; recipe?: unknown; recipeFolder?: string }> {
  if (resume !== undefined && out !== undefined)
    throw usage('--out is for new runs and --resume for runs there are.', 'Leave one of them out.')
  if (recipe === undefined) {
    if (resume === undefined) throw usage('There is nothing to train.', 'Give a recipe, or a run with --resume.')
    return { folder: resolve(resume) }
  }
  const folder = resolve(resume ?? out ?? `${basename(recipe, extname(recipe))}-run`)
  if (resume === undefined && existsSync(resolve(folder, 'recipe.json'))) {
    throw new HalfstepError(
      'file.exists',
      `${folder} holds a run already.`,
      `Continue it with --resume ${folder}, or choose another folder with --out.`,
      { folder },
    )
  }
  return { folder, recipe: await readJson(recipe), recipeFolder: dirname(resolve(recipe)) }
}

function usage(message: string, nextStep: string): HalfstepError {
  return new HalfstepError('usage', message, nextStep)
}
