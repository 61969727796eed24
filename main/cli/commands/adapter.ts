import { Option, type Command } from 'commander'
import { AdapterFormat, Precision } from '../../engine/protocol.ts'
import { adapterLines, writtenAdapter } from '../adapter-lines.ts'
import { positiveInteger, weightedPath, type WeightedPath } from '../arguments.ts'
import { addCommand, addGroup } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { refuseToOverwrite } from '../output-file.ts'

/** `halfstep adapter …` */
export function adapterCommands(program: Command, invocation: Invocation): void {
  const group = addGroup(program, 'adapter', 'look into LoRA adapters, convert and merge them')

  addCommand(group, {
    name: 'inspect',
    summary: 'say what a LoRA is and what it was made for',
    examples: ['adapter inspect style.safetensors'],
  })
    .argument('<file>', 'a .safetensors file')
    .action((path: string, options: CommonOptions) => invocation.run(options, (bench) => inspect(path, bench)))

  addCommand(group, {
    name: 'convert',
    summary: 'write a LoRA in another format',
    details: 'kohya is read by A1111, ComfyUI and most programs; peft by diffusers. The change to the model stays the same.',
    examples: ['adapter convert style.safetensors style-peft.safetensors --format peft'],
  })
    .argument('<in>', 'the .safetensors file to read')
    .argument('<out>', 'the .safetensors file to write')
    .addOption(formatOption().makeOptionMandatory())
    .addOption(typeOption())
    .addOption(forceOption())
    .action((path: string, out: string, options: ConvertOptions) => invocation.run(options, (bench) => convert(path, out, options, bench)))

  addCommand(group, {
    name: 'merge',
    summary: 'add up LoRAs, each times a strength, as one',
    details: 'A strength of 1 can be left out, and a negative one takes a change away. Without --rank the merge is exact and '
      + 'its rank is the sum of all ranks; with it, the nearest LoRA of that rank is written.',
    examples: ['adapter merge style.safetensors:0.7 light.safetensors:0.3 --out both.safetensors --rank 16'],
  })
    .argument('<adapters...>', '.safetensors files, each with its strength: FILE:0.7', weightedPath)
    .requiredOption('--out <file>', 'the file to write')
    .option('--rank <rank>', 'reduce every module to this rank', positiveInteger)
    .addOption(formatOption())
    .addOption(typeOption())
    .addOption(forceOption())
    .action((parts: WeightedPath[], options: MergeOptions) => invocation.run(options, (bench) => merge(parts, options, bench)))
}

interface WriteOptions extends CommonOptions {
  readonly dtype?: Precision
  readonly force?: true
}

interface ConvertOptions extends WriteOptions {
  readonly format: AdapterFormat
}

interface MergeOptions extends WriteOptions {
  readonly out: string
  readonly rank?: number
  readonly format?: AdapterFormat
}

function formatOption(): Option {
  return new Option('--format <format>', 'the format to write').choices(AdapterFormat.options)
}

function typeOption(): Option {
  return new Option('--dtype <type>', 'the element type to write; as in the original by default').choices(Precision.options)
}

function forceOption(): Option {
  return new Option('--force', 'replace the output file if it exists')
}

async function inspect(path: string, { engine, terminal }: Workbench): Promise<ExitCode> {
  const adapter = await engine('adapter.inspect', { path })
  terminal.document(adapter)
  terminal.print(...adapterLines(adapter, terminal.colors))
  return EXIT.ok
}

async function convert(path: string, out: string, options: ConvertOptions, { engine, terminal }: Workbench): Promise<ExitCode> {
  refuseToOverwrite(out, [path], options.force ?? false)
  const written = await engine('adapter.convert', { path, out, format: options.format, ...typeOf(options) })
  terminal.document({ out, ...written })
  terminal.print(writtenAdapter(out, written))
  return EXIT.ok
}

async function merge(parts: WeightedPath[], options: MergeOptions, { engine, terminal }: Workbench): Promise<ExitCode> {
  const { out, rank, format } = options
  refuseToOverwrite(out, parts.map(({ path }) => path), options.force ?? false)
  const request = { parts, out, ...typeOf(options), ...(rank === undefined ? {} : { rank }), ...(format === undefined ? {} : { format }) }
  const { summary, keptEnergy } = await engine('adapter.merge', request)
  terminal.document({ out, keptEnergy, ...summary })
  terminal.print(writtenAdapter(out, summary))
  if (rank !== undefined) terminal.print(`${(100 * keptEnergy).toPrecision(4)} % of the exact merge (by ‖ΔW‖²) is kept at this rank.`)
  return EXIT.ok
}

function typeOf({ dtype }: WriteOptions): { dtype?: Precision } {
  return dtype === undefined ? {} : { dtype }
}
