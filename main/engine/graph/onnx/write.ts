import path from 'node:path'
import { HalfstepError } from '../../errors.ts'
import { int64, toBytes, type Tensor } from '../../tensor/tensor.ts'
import { nodesFor, type Graph, type Node, type Region, type Value } from '../graph.ts'
import type { Operator, OperatorAttributes } from '../operators.ts'
import { fillTensor } from './fill-tensor.ts'
import { onnxTypeOf } from './data-types.ts'
import {
  ATTRIBUTE_TYPE,
  EXTERNAL_LOCATION,
  ModelMessage,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from './schema.ts'

/** Opset of written models: 18 is old enough for every provider (DirectML stops at 21) and has axes of reductions as inputs. */
export const WRITTEN_OPSET = 18

/** An ONNX model as bytes, and what it maps from files. */
export interface WrittenModel {
  readonly bytes: Uint8Array
  /** Deepest folder that holds all weight files, against which the runtime resolves them; undefined when the graph maps none. */
  readonly weightsFolder: string | undefined
  /** Bytes of the weights that stay in their files. */
  readonly weightBytes: number
}

/**
 * Writes a graph as an ONNX model. Weights are not copied: each becomes external data that points into its file, relative to
 * `weightsFolder` (ONNX Runtime refuses absolute paths).
 *
 * @param folder what `weightsFolder` shall be: where the model is going to lie. Throws `usage` when a weight lies outside of it.
 */
export function writeOnnx(graph: Graph, folder?: string): WrittenModel {
  const writer = new Writer(graph, folder)
  const model: OnnxModel = {
    irVersion: 8,
    producerName: 'halfstep',
    opsetImport: [{ domain: '', version: WRITTEN_OPSET }],
    graph: writer.mainGraph(),
  }
  const bytes = ModelMessage.encode(ModelMessage.fromObject(model)).finish()
  return { bytes, weightsFolder: writer.weightsFolder, weightBytes: writer.weightBytes }
}

class Writer {
  readonly weightsFolder: string | undefined
  readonly weightBytes: number
  readonly #graph: Graph
  readonly #nodes: readonly Node[]
  readonly #initializers = new Map<string, OnnxTensor>()

  constructor(graph: Graph, folder?: string) {
    this.#graph = graph
    this.#nodes = nodesFor(graph.outputs.values())
    const locations = this.#usedValues().flatMap(({ source }) => (source.kind === 'weight' ? [source.location] : []))
    const files = locations.map(({ file }) => file)
    this.weightBytes = locations.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (folder !== undefined) refuseOutside(folder, files)
    this.weightsFolder = files.length === 0 ? undefined : (folder ?? commonFolder(files))
  }

  mainGraph(): OnnxGraph {
    // An output must be made by a node under its own name: an Identity gives it that name, unless the value has it already.
    const outputs = [...this.#graph.outputs].map(([name, value]) => ({ name, value }))
    const renamed = outputs.filter(({ name, value }) => name !== value.name)
    const node = [
      ...this.#regionNodes(this.#graph.main),
      ...renamed.map(({ name, value }) => plainNode(`${name}.output`, 'Identity', [value.name], [name])),
    ]
    for (const value of this.#usedValues()) this.#addInitializer(value)
    return {
      name: 'halfstep',
      node,
      initializer: [...this.#initializers.values()],
      input: this.#graph.inputs.map((value) => valueInfo(value.name, value)),
      output: outputs.map(({ name, value }) => valueInfo(name, value)),
    }
  }

  #usedValues(): Value[] {
    const used = new Set<Value>(this.#graph.outputs.values())
    for (const node of this.#nodes) {
      for (const input of node.inputs) if (input !== undefined) used.add(input)
      if (node.operator === 'If') for (const value of [...node.attributes.then.results, ...node.attributes.else.results]) used.add(value)
    }
    return [...used]
  }

  #regionNodes(region: Region): OnnxNode[] {
    return this.#nodes.filter((node) => node.region === region).map((node) => this.#node(node))
  }

  #node(node: Node): OnnxNode {
    const spelling = this.#spell(node)
    const inputs = [...node.inputs.map((input) => input?.name ?? ''), ...(spelling.inputs ?? [])]
    while (inputs.at(-1) === '') inputs.pop()
    return {
      name: node.name,
      opType: node.operator,
      input: inputs,
      output: node.outputs.map((value) => value.name),
      attribute: spelling.attributes ?? [],
    }
  }

  #spell(node: Node): Spelling {
    // The table's entry for an operator takes that operator's nodes; indexing by a union loses the pairing.
    const spell = SPELLINGS[node.operator] as ((node: Node, context: SpellingContext) => Spelling) | undefined
    return (
      spell?.(node, {
        shape: (sizes) => this.#integers(sizes),
        tensor: (tensor) => this.#small(tensor),
        body: (region) => this.#body(region),
      }) ?? {}
    )
  }

  #body(region: Region): OnnxGraph {
    // Results that the region does not make itself (a captured value, a constant) are passed on under a name of its own.
    const passed = region.results.map((value, i) => ({ value, name: `${value.name}.result${i}` }))
    return {
      name: 'branch',
      node: [...this.#regionNodes(region), ...passed.map(({ value, name }) => plainNode(name, 'Identity', [value.name], [name]))],
      initializer: [],
      input: [],
      output: passed.map(({ value, name }) => valueInfo(name, value)),
    }
  }

  #integers(values: readonly number[]): string {
    return this.#small(int64([values.length], values))
  }

  #small(tensor: Tensor): string {
    const name = `const:${tensor.dtype}:${tensor.shape.join('x')}:${tensor.data.join(',')}`
    if (!this.#initializers.has(name)) this.#initializers.set(name, embedded(name, tensor))
    return name
  }

  #addInitializer(value: Value): void {
    const { source } = value
    if (source.kind === 'constant') this.#initializers.set(value.name, embedded(value.name, source.tensor))
    if (source.kind !== 'weight') return
    const { file, byteOffset, byteLength } = source.location
    const location = path
      .relative(this.weightsFolder ?? '', file)
      .split(path.sep)
      .join('/')
    this.#initializers.set(value.name, {
      name: value.name,
      dims: value.shape,
      dataType: onnxTypeOf(value.dtype),
      dataLocation: EXTERNAL_LOCATION,
      externalData: [
        { key: 'location', value: location },
        { key: 'offset', value: String(byteOffset) },
        { key: 'length', value: String(byteLength) },
      ],
    })
  }
}

interface Spelling {
  readonly attributes?: readonly OnnxAttribute[]
  /** Names of constant operands that ONNX takes after the node's own. */
  readonly inputs?: readonly string[]
}

interface SpellingContext {
  /** Name of a constant that holds these integers. */
  readonly shape: (sizes: readonly number[]) => string
  readonly tensor: (tensor: Tensor) => string
  readonly body: (region: Region) => OnnxGraph
}

type Speller<O extends Operator> = (node: NodeWith<O>, context: SpellingContext) => Spelling
interface NodeWith<O extends Operator> {
  readonly attributes: OperatorAttributes[O]
  readonly inputs: readonly (Value | undefined)[]
  readonly outputs: readonly Value[]
}

const int = (name: string, i: number): OnnxAttribute => ({ name, type: ATTRIBUTE_TYPE.int, i })
const ints = (name: string, values: readonly number[]): OnnxAttribute => ({ name, type: ATTRIBUTE_TYPE.ints, ints: values })
const float = (name: string, f: number): OnnxAttribute => ({ name, type: ATTRIBUTE_TYPE.float, f })
const text = (name: string, value: string): OnnxAttribute => ({ name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) })

const windowAttributes = (a: { strides: readonly number[]; pads: readonly number[]; dilations: readonly number[] }): OnnxAttribute[] => [
  ints('strides', a.strides),
  ints('pads', a.pads),
  ints('dilations', a.dilations),
]

const outputShape = (node: { outputs: readonly Value[] }, { shape }: SpellingContext): Spelling => ({
  inputs: [shape(node.outputs[0]?.shape ?? [])],
})

const reduction = (node: { attributes: { axes: readonly number[]; keepDims: boolean } }, { shape }: SpellingContext): Spelling => ({
  attributes: [int('keepdims', node.attributes.keepDims ? 1 : 0)],
  inputs: [shape(node.attributes.axes)],
})

/** How ONNX spells the attributes; an operator that is absent here has none. */
const SPELLINGS: { readonly [O in Operator]?: Speller<O> } = {
  LeakyRelu: ({ attributes }) => ({ attributes: [float('alpha', attributes.alpha)] }),
  Elu: ({ attributes }) => ({ attributes: [float('alpha', attributes.alpha)] }),
  Clip: ({ attributes, outputs }, { tensor }) => {
    const bound = (value: number): string => (Number.isFinite(value) ? tensor(fillTensor(outputs[0]?.dtype ?? 'float32', value)) : '')
    return { inputs: [bound(attributes.min), bound(attributes.max)] }
  },
  Cast: ({ attributes }) => ({ attributes: [int('to', onnxTypeOf(attributes.to))] }),
  Gemm: ({ attributes: { alpha, beta, transA, transB } }) => ({
    attributes: [float('alpha', alpha), float('beta', beta), int('transA', transA ? 1 : 0), int('transB', transB ? 1 : 0)],
  }),
  Conv: ({ attributes, inputs }) => ({
    attributes: [...windowAttributes(attributes), int('group', attributes.group), ints('kernel_shape', inputs[1]?.shape.slice(2) ?? [])],
  }),
  ConvTranspose: ({ attributes, inputs }) => ({
    attributes: [
      ...windowAttributes(attributes),
      int('group', attributes.group),
      ints('output_padding', attributes.outputPadding),
      ints('kernel_shape', inputs[1]?.shape.slice(2) ?? []),
    ],
  }),
  MaxPool: ({ attributes }) => ({ attributes: [...windowAttributes(attributes), ints('kernel_shape', attributes.kernel)] }),
  AveragePool: ({ attributes }) => ({
    attributes: [
      ints('strides', attributes.strides),
      ints('pads', attributes.pads),
      ints('kernel_shape', attributes.kernel),
      int('count_include_pad', attributes.countIncludePad ? 1 : 0),
    ],
  }),
  Resize: ({ attributes, outputs }, { shape }) => ({
    attributes:
      attributes.mode === 'nearest'
        ? [text('mode', 'nearest'), text('coordinate_transformation_mode', 'asymmetric'), text('nearest_mode', 'floor')]
        : [text('mode', 'linear'), text('coordinate_transformation_mode', 'half_pixel')],
    inputs: ['', '', shape(outputs[0]?.shape ?? [])],
  }),
  LayerNormalization: ({ attributes }) => ({ attributes: [int('axis', attributes.axis), float('epsilon', attributes.epsilon)] }),
  InstanceNormalization: ({ attributes }) => ({ attributes: [float('epsilon', attributes.epsilon)] }),
  Softmax: ({ attributes }) => ({ attributes: [int('axis', attributes.axis)] }),
  LogSoftmax: ({ attributes }) => ({ attributes: [int('axis', attributes.axis)] }),
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceMin: reduction,
  ArgMax: ({ attributes }) => ({ attributes: [int('axis', attributes.axis), int('keepdims', attributes.keepDims ? 1 : 0)] }),
  Reshape: outputShape,
  Expand: outputShape,
  Transpose: ({ attributes }) => ({ attributes: [ints('perm', attributes.perm)] }),
  Tile: ({ attributes }, { shape }) => ({ inputs: [shape(attributes.repeats)] }),
  Concat: ({ attributes }) => ({ attributes: [int('axis', attributes.axis)] }),
  Slice: ({ attributes: { starts, ends, axes, steps } }, { shape }) => ({
    inputs: [shape(starts), shape(ends), shape(axes), shape(steps)],
  }),
  Pad: ({ attributes, outputs }, { shape, tensor }) => ({
    attributes: [text('mode', attributes.mode)],
    inputs: [shape(attributes.pads), tensor(fillTensor(outputs[0]?.dtype ?? 'float32', attributes.value))],
  }),
  Gather: ({ attributes }) => ({ attributes: [int('axis', attributes.axis)] }),
  If: ({ attributes }, { body }) => ({
    attributes: [
      { name: 'then_branch', type: ATTRIBUTE_TYPE.graph, g: body(attributes.then) },
      { name: 'else_branch', type: ATTRIBUTE_TYPE.graph, g: body(attributes.else) },
    ],
  }),
}

function plainNode(name: string, opType: string, input: readonly string[], output: readonly string[]): OnnxNode {
  return { name, opType, input, output, attribute: [] }
}

function embedded(name: string, tensor: Tensor): OnnxTensor {
  return { name, dims: tensor.shape, dataType: onnxTypeOf(tensor.dtype), rawData: toBytes(tensor) }
}

function valueInfo(name: string, { dtype, shape }: Value): OnnxValueInfo {
  return { name, type: { tensorType: { elemType: onnxTypeOf(dtype), shape: { dim: shape.map((size) => ({ dimValue: size })) } } } }
}

function refuseOutside(folder: string, files: readonly string[]): void {
  const isOutside = (relative: string): boolean => relative.split(path.sep)[0] === '..' || path.isAbsolute(relative)
  const outside = files.find((file) => isOutside(path.relative(folder, file)))
  if (outside === undefined) return
  const message = `The weights of the model are in ${outside}, and a model in ${folder} can only refer to files in its own folder.`
  throw new HalfstepError('usage', message, `Write it into ${path.dirname(outside)}.`, { file: outside })
}

/** The deepest folder that holds all the given files. */
function commonFolder(files: readonly string[]): string | undefined {
  const [first, ...rest] = files.map((file) => path.dirname(file))
  if (first === undefined) return undefined
  return rest.reduce((folder, other) => {
    let common = folder
    while (path.relative(common, other).startsWith('..')) common = path.dirname(common)
    return common
  }, first)
}
