import path from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { readJson } from '../../../native-models/weights/json-file.ts'
import type { Device } from '../../engine/protocol.ts'
import { deviceOption, positiveInteger } from '../arguments.ts'
import { chooseDevice } from '../choose-device.ts'
import { addCommand } from '../command.ts'
import { estimatorLines } from '../estimator-lines.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'

/** `halfstep estimator` */
export function estimatorCommand(program: Command, invocation: Invocation): void {
  addCommand(program, {
    name: 'estimator',
    summary: 'measure gradient estimators on a recipe\'s chain',
    details: 'Draws RLR in its variants and every peer at the parameters that a run would begin with, on the same prompts and noises, '
      + 'and compares mean, variance, time and, where the reward has a gradient, the cosine to exact backpropagation through all '
      + 'steps. The estimator with the least variance × time learns fastest.',
    examples: ['estimator --recipe recipe.json --draws 50', 'estimator --model ~/models/sd15 --recipe recipe.json --draws 20 --json'],
  })
    .requiredOption('--recipe <file>', 'a training recipe: prompts, chain, reward and adapter are taken from it')
    .option('--model <path>', 'a diffusers folder or a .safetensors file; by default the recipe\'s')
    .option('--draws <count>', 'updates to draw of each estimator, 2 or more', drawCount, 20)
    .addOption(deviceOption())
    .action((options: EstimatorOptions) => invocation.run(options, (bench) => measure(options, bench)))
}

interface EstimatorOptions extends CommonOptions {
  readonly recipe: string
  readonly model?: string
  readonly draws: number
  readonly device?: Device
}

function drawCount(text: string): number {
  const count = positiveInteger(text)
  if (count >= 2) return count
  throw new InvalidArgumentError('It must be 2 or more: there is no variance in one draw.')
}

async function measure({ recipe: file, model, draws, device }: EstimatorOptions, bench: Workbench): Promise<ExitCode> {
  const { engine, terminal } = bench
  const request = {
    recipe: await readJson(file),
    recipeFolder: path.dirname(path.resolve(file)),
    draws,
    device: chooseDevice(device, bench),
    ...(model === undefined ? {} : { model: path.resolve(model) }),
  }
  const result = await engine('estimator.measure', request, ({ label, draw }) =>
    terminal.status(`${label}: draw ${draw + 1} of ${draws} …`))
  terminal.document(result)
  terminal.print(...estimatorLines(result))
  return EXIT.ok
}
