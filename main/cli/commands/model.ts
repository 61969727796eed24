import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { Precision, Recomputation, StandardConfig, type Device } from '../../engine/protocol.ts'
import { deviceOption, positiveInteger } from '../arguments.ts'
import { STAGES, benchLines } from '../bench-lines.ts'
import { checkLine, checkSummary, groupOf } from '../check-lines.ts'
import { chooseDevice } from '../choose-device.ts'
import { addCommand, addGroup } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { formatBytes } from '../figures.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { COMPONENT_NAMES, modelLines } from '../model-lines.ts'
import { tokenLine } from '../token-line.ts'

/** `halfstep model …` */
export function modelCommands(program: Command, invocation: Invocation): void {
  const group = addGroup(program, 'model', 'look into a model, check it, measure it')

  addCommand(group, {
    name: 'inspect',
    summary: 'say what a model is and whether it is sound',
    details: 'Family, components, precision, parameters, prediction type and problems. Every weight is read once; missing, '
      + 'misshapen or non-finite weights make it exit with 1.',
    examples: ['model inspect ~/models/stable-diffusion-v1-5', 'model inspect dreamshaper.safetensors --json'],
  })
    .argument('<path>', 'a diffusers folder or a .safetensors file')
    .action((path: string, options: CommonOptions) => invocation.run(options, (bench) => inspect(path, bench)))

  addCommand(group, {
    name: 'check',
    summary: 'recompute a file of golden cases and compare',
    details: 'Computes every output in the cases file again from the inputs in it, and prints its relative error. Exits with 1 when '
      + 'one exceeds its tolerance or could not be computed. test/golden/README.md says what such a file holds.',
    examples: [
      'model check test/golden/sd15-micro test/golden/sd15-micro/cases.safetensors',
      'model check model.safetensors cases.safetensors --device webgpu --only unet.',
    ],
  })
    .argument('<path>', 'a diffusers folder or a .safetensors file')
    .argument('<cases>', 'a .safetensors file with inputs and expected outputs')
    .addOption(deviceOption())
    .option('--only <prefix>', 'only outputs whose name begins with this')
    .addOption(precisionOption())
    .action((model: string, cases: string, options: CheckOptions) =>
      invocation.run(options, (bench) => check(model, cases, options, bench)))

  addCommand(group, {
    name: 'tokenize',
    summary: 'print the token ids of texts',
    details: 'A model\'s own tokenizer is used, or CLIP\'s standard one where it brings none; `clip` is the standard one. '
      + 'The ids are those that the text encoder gets: start, text, end, padding.',
    examples: ['model tokenize clip "a red fox" "a blue bird"', 'model tokenize ~/models/sd21 "a red fox" --json'],
  })
    .argument('<source>', 'a model, a tokenizer\'s folder, or `clip`')
    .argument('<text...>', 'one or more texts, each in quotes')
    .action((source: string, texts: string[], options: CommonOptions) => invocation.run(options, (bench) => tokenize(source, texts, bench)))

  addCommand(group, {
    name: 'bench',
    summary: 'measure time and memory of a UNet and its gradient',
    details: 'Forward pass and gradient of a UNet with a rank-4 LoRA on its attention. The standard sizes get random weights, which '
      + 'are written to the system\'s temporary folder (SD 1.5: 3.4 GB) and removed afterwards.',
    examples: ['model bench --config sd15 --latent 32', 'model bench --config ~/models/sd21 --device webgpu --precision float16'],
  })
    .requiredOption('--config <size>', 'sd15, sd21, sdxl, or a model of your own')
    .option('--latent <size>', 'height and width of the latent: an eighth of the picture\'s', positiveInteger, 64)
    .option('--batch <count>', 'pictures at once', positiveInteger, 1)
    .addOption(deviceOption())
    .addOption(precisionOption())
    .addOption(recomputeOption())
    .option('--runs <count>', 'runs to measure, after one that is not counted', positiveInteger, 3)
    .action((options: BenchOptions) => invocation.run(options, (bench) => measure(options, bench)))
}

interface CheckOptions extends CommonOptions {
  readonly device?: Device
  readonly only?: string
  readonly precision: Precision
}

interface BenchOptions extends CommonOptions {
  readonly config: string
  readonly latent: number
  readonly batch: number
  readonly device?: Device
  readonly precision: Precision
  readonly recompute: Recomputation
  readonly runs: number
}

function precisionOption(): Option {
  return new Option('--precision <type>', 'the element type to compute in').choices(Precision.options).default('float32')
}

function recomputeOption(): Option {
  const option = new Option('--recompute <what>', 'what the gradient computes again to save memory')
  return option.choices(Recomputation.options).default('auto')
}

async function inspect(path: string, { engine, terminal }: Workbench): Promise<ExitCode> {
  const model = await engine('model.inspect', { path }, ({ name, bytes }) =>
    terminal.status(`Reading the ${COMPONENT_NAMES[name]} (${formatBytes(bytes)}) …`))
  terminal.document(model)
  terminal.print(...modelLines(model, terminal.colors))
  return model.faults.length === 0 ? EXIT.ok : EXIT.failed
}

async function check(model: string, cases: string, { device, only, precision }: CheckOptions, bench: Workbench): Promise<ExitCode> {
  const { engine, terminal } = bench
  let group = ''
  const request = { model, cases, device: chooseDevice(device, bench), precision, ...(only === undefined ? {} : { only }) }
  terminal.status('Computing …')
  const report = await engine('model.check', request, (line) => {
    if (groupOf(line) !== group) terminal.print((group = groupOf(line)))
    terminal.print(checkLine(line, terminal.colors))
    terminal.status('Computing …')
  })
  terminal.document(report)
  terminal.print(...checkSummary(report, terminal.colors))
  return report.passed ? EXIT.ok : EXIT.failed
}

async function tokenize(source: string, texts: string[], { engine, terminal }: Workbench): Promise<ExitCode> {
  const results = await engine('model.tokenize', { source, texts })
  terminal.document(results)
  terminal.print(...results.map(({ text, ids }) => tokenLine(text, ids)))
  return EXIT.ok
}

async function measure(options: BenchOptions, bench: Workbench): Promise<ExitCode> {
  const { engine, terminal } = bench
  const { config, latent, batch, device, precision, recompute, runs } = options
  const request = {
    config: StandardConfig.safeParse(config).data ?? { model: config },
    latent,
    batch,
    device: chooseDevice(device, bench),
    precision,
    recomputation: recompute,
    runs,
  }
  const scratch = mkdtempSync(join(tmpdir(), 'halfstep-bench-'))
  try {
    const result = await engine('model.bench', { ...request, scratch }, ({ stage }) => terminal.status(`${STAGES[stage]} …`))
    terminal.document({ ...request, ...result })
    terminal.print(...benchLines(result))
    return EXIT.ok
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
