import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { EngineJobs } from '../../engine/protocol.ts'
import { deviceOption, nonNegativeNumber, positiveInteger, seed, share, slotValue, weightedPath } from '../arguments.ts'
import { addCommand } from '../command.ts'
import { drawingRequest, precisionOption, reportDrawn, samplerOption, type DrawingOptions } from '../drawing-options.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Invocation, Workbench } from '../invocation.ts'

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
    .addOption(samplerOption('dpmpp'))
    .option('--steps <count>', 'sampling steps of the whole way', positiveInteger, 30)
    .option('--guidance <scale>', 'how strictly to follow the prompt; 1 is not at all stricter than the model', nonNegativeNumber, 7.5)
    .addOption(deviceOption())
    .addOption(precisionOption())
    .requiredOption('--out <folder>', 'the folder to write variants to')
    .action((picture: string, options: RepairOptions) => invocation.run(options, (bench) => repair(picture, options, bench)))
}

interface RepairOptions extends DrawingOptions {
  readonly mask: string
  readonly prompt: string
  readonly strength: number
  readonly feather: number
  readonly context?: number
  readonly count: number
  readonly steps: number
}

async function repair(picture: string, options: RepairOptions, bench: Workbench): Promise<ExitCode> {
  const { engine, terminal } = bench
  const request = requestOf(picture, options, bench)
  terminal.status('Preparing …')
  const result = await engine('model.repair', request, ({ picture: variant, pictures: variants, step, steps, path }) => {
    if (path !== null) terminal.print(path)
    terminal.status(`Variant ${variant + 1} of ${variants}: step ${step} of ${steps} …`)
  })
  reportDrawn(result, options, request, bench)
  return EXIT.ok
}

function requestOf(picture: string, options: RepairOptions, bench: Workbench): EngineJobs['model.repair']['request'] {
  const { mask, prompt, strength, feather, context, count, steps } = options
  return {
    ...drawingRequest(options, bench),
    picture: resolve(picture),
    mask: resolve(mask),
    feather,
    strength,
    prompt,
    count,
    steps,
    ...(context === undefined ? {} : { context }),
  }
}
