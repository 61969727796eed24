import { basename, dirname, extname, join } from 'node:path'
import type { Command } from 'commander'
import type { TensorSignature } from '../../engine/protocol.ts'
import { dimension } from '../arguments.ts'
import { addCommand, addGroup } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { indented, table } from '../figures.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { refuseToOverwrite } from '../output-file.ts'

/** `halfstep onnx …` */
export function onnxCommands(program: Command, invocation: Invocation): void {
  const group = addGroup(program, 'onnx', 'differentiate ONNX models')

  addCommand(group, {
    name: 'grad',
    summary: 'write the gradient of an ONNX model as an ONNX model',
    details: 'The new model also gives gradient.X = (∂OUTPUT/∂X)ᵀ · u for every X of --wrt (an input or a weight), and takes the '
      + 'upstream gradient u as upstream.OUTPUT; an output of a single number is differentiated itself.',
    examples: [
      'onnx grad aesthetic.onnx --output score --wrt pixels',
      'onnx grad head.onnx --output y --wrt x w --dim batch=4 --out head-vjp.onnx',
    ],
  })
    .argument('<model>', 'an .onnx file')
    .requiredOption('--output <name>', 'the output to differentiate')
    .requiredOption('--wrt <names...>', 'the inputs or weights to differentiate by')
    .option('--dim <name=size>', 'a size for an axis that the model leaves open; once per axis', dimension)
    .option('--out <file>', 'the file to write; MODEL.grad.onnx beside the model by default')
    .option('--force', 'replace the output file if it exists')
    .action((model: string, options: GradOptions) => invocation.run(options, (bench) => grad(model, options, bench)))
}

interface GradOptions extends CommonOptions {
  readonly output: string
  readonly wrt: string[]
  readonly dim?: Readonly<Record<string, number>>
  readonly out?: string
  readonly force?: true
}

async function grad(path: string, options: GradOptions, { engine, terminal }: Workbench): Promise<ExitCode> {
  const out = options.out ?? join(dirname(path), `${basename(path, extname(path))}.grad.onnx`)
  refuseToOverwrite(out, [path], options.force ?? false)
  const { output, wrt, dim: dimensions = {} } = options
  const { inputs, outputs } = await engine('onnx.grad', { path, output, wrt, dimensions, out })
  terminal.document({ out, inputs, outputs })
  terminal.print(`Wrote ${out}:`, ...indented(table([...inputs.map(signature('takes')), ...outputs.map(signature('gives'))])))
  return EXIT.ok
}

function signature(role: 'takes' | 'gives'): (tensor: TensorSignature) => string[] {
  return ({ name, dtype, shape }) => [role, name, `${dtype} [${shape.join(', ')}]`]
}
