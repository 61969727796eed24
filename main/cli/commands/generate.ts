import type { Command } from 'commander'
import type { EngineJobs } from '../../engine/protocol.ts'
import { deviceOption, nonNegativeNumber, pictureSize, positiveInteger, seed, slotValue, weightedPath } from '../arguments.ts'
import { addCommand } from '../command.ts'
import { drawingRequest, precisionOption, reportDrawn, samplerOption, type DrawingOptions } from '../drawing-options.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Invocation, Workbench } from '../invocation.ts'

/** `halfstep generate` */
export function generateCommand(program: Command, invocation: Invocation): void {
  addCommand(program, {
    name: 'generate',
    summary: 'make pictures of prompts',
    details:
      "Writes PNG files that carry how they were made (A1111's `parameters` and, as JSON, `halfstep`). The k-th picture of " +
      'every prompt has the seed SEED + k, so that each can be made again alone. No file is ever overwritten.\n\n' +
      '--latents takes a .safetensors file with `latents` [pictures, 4, height / 8, width / 8], which stand for the noise that ' +
      'pictures start from, and perhaps `noise` [steps, pictures, 4, height / 8, width / 8], which the steps add; so other ' +
      'programs can be compared picture by picture.',
    examples: [
      'generate --model ~/models/sd15 --prompt "a lighthouse at dusk" --out pictures',
      'generate --model xl.safetensors --prompt "two hands" --adapter hands.safetensors:0.8 --template hands-two --count 4 --out pictures',
    ],
  })
    .requiredOption('--model <path>', 'a diffusers folder or a .safetensors file')
    .requiredOption('--prompt <text...>', 'what to show; one or more texts, each in quotes')
    .option('--negative <text>', 'what not to show')
    .option('--adapter <file:strength>', 'a LoRA and its strength, 1 if left out; once per adapter', weightedPath)
    .option('--template <name>', 'prompts in stages: one that comes with Halfstep, or a .json file; the prompt fills its slot `subject`')
    .option('--slot <name=value>', 'a value for another slot of the template; once per slot', slotValue)
    .option('--seed <seed>', 'a whole number; a random one by default, which is printed', seed)
    .option('--count <count>', 'pictures per prompt; 1 by default, or as many as there are latents', positiveInteger)
    .addOption(samplerOption('ddim'))
    .option('--steps <count>', 'sampling steps; 50 by default, or as many as there are noises', positiveInteger)
    .option('--guidance <scale>', 'how strictly to follow the prompt; 1 is not at all stricter than the model', nonNegativeNumber, 7.5)
    .option('--eta <share>', 'share of fresh noise in every step, 0 to 1; 0 by default, 1 where --latents brings noise', nonNegativeNumber)
    .option('--size <WxH>', 'width and height in pixels; by default those the model was trained at', pictureSize)
    .option('--latents <file>', 'start from these latents')
    .addOption(deviceOption())
    .addOption(precisionOption())
    .requiredOption('--out <folder>', 'the folder to write pictures to')
    .action((options: GenerateOptions) => invocation.run(options, (bench) => generate(options, bench)))
}

interface GenerateOptions extends DrawingOptions {
  readonly prompt: string[]
  readonly count?: number
  readonly steps?: number
  readonly eta?: number
  readonly size?: { readonly width: number; readonly height: number }
  readonly latents?: string
}

async function generate(options: GenerateOptions, bench: Workbench): Promise<ExitCode> {
  const { engine, terminal } = bench
  const request = requestOf(options, bench)
  terminal.status('Preparing …')
  const result = await engine('model.generate', request, ({ picture, pictures, step, steps, path }) => {
    if (path !== null) terminal.print(path)
    terminal.status(`Picture ${picture + 1} of ${pictures}: step ${step} of ${steps} …`)
  })
  reportDrawn(result, options, request, bench)
  return EXIT.ok
}

function requestOf(options: GenerateOptions, bench: Workbench): EngineJobs['model.generate']['request'] {
  const { prompt, count, steps, eta, size, latents } = options
  return {
    ...drawingRequest(options, bench),
    prompts: prompt,
    ...(count === undefined ? {} : { count }),
    ...(steps === undefined ? {} : { steps }),
    ...(eta === undefined ? {} : { eta }),
    ...(size === undefined ? {} : { size }),
    ...(latents === undefined ? {} : { latents }),
  }
}
