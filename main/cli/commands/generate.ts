import { randomInt } from 'node:crypto'
import { Option, type Command } from 'commander'
import { HalfstepError } from '../../engine/errors.ts'
import { Precision, SamplerName, type Device, type EngineJobs } from '../../engine/protocol.ts'
import {
  deviceOption,
  nonNegativeNumber,
  pictureSize,
  positiveInteger,
  seed,
  slotValue,
  weightedPath,
  type WeightedPath,
} from '../arguments.ts'
import { chooseDevice, choosePrecision } from '../choose-device.ts'
import { addCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'

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
    .addOption(new Option('--sampler <sampler>', 'how to go from noise to picture').choices(SamplerName.options).default('ddim'))
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

function precisionOption(): Option {
  return new Option('--precision <type>', 'what to compute in; by default float16 where the device has it').choices(Precision.options)
}

interface GenerateOptions extends CommonOptions {
  readonly model: string
  readonly prompt: string[]
  readonly negative?: string
  readonly adapter?: WeightedPath[]
  readonly template?: string
  readonly slot?: Readonly<Record<string, string>>
  readonly seed?: number
  readonly count?: number
  readonly sampler: SamplerName
  readonly steps?: number
  readonly guidance: number
  readonly eta?: number
  readonly size?: { readonly width: number; readonly height: number }
  readonly latents?: string
  readonly device?: Device
  readonly precision?: Precision
  readonly out: string
}

async function generate(options: GenerateOptions, bench: Workbench): Promise<ExitCode> {
  const { engine, terminal } = bench
  const request = requestOf(options, bench)
  terminal.status('Preparing …')
  const { pictures, notes } = await engine('model.generate', request, ({ picture, pictures, step, steps, path }) => {
    if (path !== null) terminal.print(path)
    terminal.status(`Picture ${picture + 1} of ${pictures}: step ${step} of ${steps} …`)
  })
  for (const note of notes) terminal.note(note)
  if (options.seed === undefined) terminal.note(`The seed was ${request.seed}; --seed ${request.seed} gives the same again.`)
  terminal.document({ pictures, notes })
  return EXIT.ok
}

function requestOf(options: GenerateOptions, bench: Workbench): EngineJobs['model.generate']['request'] {
  const { model, prompt, negative, adapter, template, slot, count, sampler, steps, guidance, eta, size, latents, out } = options
  if (slot !== undefined && template === undefined) {
    throw new HalfstepError('usage', 'Slots belong to a template, and none is given.', 'Add --template, or leave --slot away.')
  }
  const device = chooseDevice(options.device, bench)
  return {
    model,
    prompts: prompt,
    adapters: adapter ?? [],
    seed: options.seed ?? randomInt(2 ** 32),
    sampler,
    guidance,
    device,
    precision: choosePrecision(options.precision, device, bench),
    out,
    ...(negative === undefined ? {} : { negative }),
    ...(template === undefined ? {} : { template: { source: template, slots: slot ?? {} } }),
    ...(count === undefined ? {} : { count }),
    ...(steps === undefined ? {} : { steps }),
    ...(eta === undefined ? {} : { eta }),
    ...(size === undefined ? {} : { size }),
    ...(latents === undefined ? {} : { latents }),
  }
}
