import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { HalfstepError } from '../../engine/errors.ts'
import { Precision, SamplerName, type Device, type EngineJobs } from '../../engine/protocol.ts'
import { deviceOption, nonNegativeNumber, positiveInteger, seed, share, slotValue, weightedPath, type WeightedPath } from '../arguments.ts'
import { chooseDevice, choosePrecision } from '../choose-device.ts'
import { addCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'

/** `halfstep repair` */
export function repairCommand(program: Command, invocation: Invocation): void {
  addCommand(program, {
    name: 'repair',
    summary: 'draw a part of a picture anew',
    details:
      'Draws what is white in the mask anew with an ordinary model, no inpainting model needed, and writes each variant as a PNG file ' +
      'that carries how it was made. Outside the mask every pixel stays as it is, and the picture itself is never changed. The model ' +
      'sees the place around the mask in the size it was trained at, so a small hand in a large picture is drawn in full detail.',
    examples: [
      'repair portrait.png --mask hand.png --model ~/models/sd15 --prompt "an open hand" --out repaired',
      'repair portrait.png --mask hand.png --model xl.safetensors --prompt "two hands" --adapter hands.safetensors --out repaired',
    ],
  })
    .argument('<picture>', 'a PNG, JPEG or WebP file')
    .requiredOption('--mask <file>', 'a picture of the same proportions: white is drawn anew, black stays')
    .requiredOption('--model <path>', 'a diffusers folder or a .safetensors file')
    .requiredOption('--prompt <text>', 'what to show, in quotes')
    .option('--negative <text>', 'what not to show')
    .option('--adapter <file:strength>', 'a LoRA and its strength, 1 if left out; once per adapter', weightedPath)
    .option('--template <name>', 'prompts in stages: one that comes with Halfstep, or a .json file; the prompt fills its slot `subject`')
    .option('--slot <name=value>', 'a value for another slot of the template; once per slot', slotValue)
    .option('--strength <share>', 'how far from the picture to go, 0 to 1: 1 draws from noise alone', share, 0.75)
    .option('--feather <pixels>', 'how far the edge of the mask fades in, inwards', nonNegativeNumber, 8)
    .option('--context <share>', 'how far around the mask the model sees, in its longer sides; all by default', nonNegativeNumber)
    .option('--seed <seed>', 'a whole number; a random one by default, which is printed', seed)
    .option('--count <count>', 'variants', positiveInteger, 1)
    .addOption(new Option('--sampler <sampler>', 'how to go from noise to picture').choices(SamplerName.options).default('dpmpp'))
    .option('--steps <count>', 'sampling steps of the whole way', positiveInteger, 30)
    .option('--guidance <scale>', 'how strictly to follow the prompt; 1 is not at all stricter than the model', nonNegativeNumber, 7.5)
    .addOption(deviceOption())
    .addOption(new Option('--precision <type>', 'what to compute in; by default float16 where there is one').choices(Precision.options))
    .requiredOption('--out <folder>', 'the folder to write variants to')
    .action((picture: string, options: RepairOptions) => invocation.run(options, (bench) => repair(picture, options, bench)))
}

interface RepairOptions extends CommonOptions {
  readonly mask: string
  readonly model: string
  readonly prompt: string
  readonly negative?: string
  readonly adapter?: WeightedPath[]
  readonly template?: string
  readonly slot?: Readonly<Record<string, string>>
  readonly strength: number
  readonly feather: number
  readonly context?: number
  readonly seed?: number
  readonly count: number
  readonly sampler: SamplerName
  readonly steps: number
  readonly guidance: number
  readonly device?: Device
  readonly precision?: Precision
  readonly out: string
}

async function repair(picture: string, options: RepairOptions, bench: Workbench): Promise<ExitCode> {
  const { engine, terminal } = bench
  const request = requestOf(picture, options, bench)
  terminal.status('Preparing …')
  const { pictures, notes } = await engine('model.repair', request, ({ picture: variant, pictures: variants, step, steps, path }) => {
    if (path !== null) terminal.print(path)
    terminal.status(`Variant ${variant + 1} of ${variants}: step ${step} of ${steps} …`)
  })
  for (const note of notes) terminal.note(note)
  if (options.seed === undefined) terminal.note(`The seed was ${request.seed}; --seed ${request.seed} gives the same again.`)
  terminal.document({ pictures, notes })
  return EXIT.ok
}

function requestOf(picture: string, options: RepairOptions, bench: Workbench): EngineJobs['model.repair']['request'] {
  const { mask, model, prompt, negative, adapter, template, slot, strength, feather, context } = options
  const { count, sampler, steps, guidance, out } = options
  if (slot !== undefined && template === undefined) {
    throw new HalfstepError('usage', 'Slots belong to a template, and none is given.', 'Add --template, or leave --slot away.')
  }
  const device = chooseDevice(options.device, bench)
  return {
    model,
    picture: resolve(picture),
    mask: resolve(mask),
    feather,
    strength,
    prompt,
    adapters: adapter ?? [],
    seed: options.seed ?? randomInt(2 ** 32),
    count,
    sampler,
    steps,
    guidance,
    device,
    precision: choosePrecision(options.precision, device, bench),
    out,
    ...(negative === undefined ? {} : { negative }),
    ...(template === undefined ? {} : { template: { source: template, slots: slot ?? {} } }),
    ...(context === undefined ? {} : { context }),
  }
}
