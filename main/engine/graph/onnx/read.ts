import { HalfstepError } from '../../errors.ts'
import { isFloat } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Graph, type Scope, type Value, type WeightLocation } from '../graph.ts'
import { cast } from '../ops/index.ts'
import { decodeOnnx } from './decode.ts'
import { importedType } from './import/imported-type.ts'
import { importerOf } from './import/index.ts'
import { KnownValues } from './import/known-values.ts'
import { NodeContext, type ImportServices } from './import/node-context.ts'
import { inputShape, type Dimensions } from './input-shape.ts'
import { malformedOnnx } from './malformed.ts'
import { normalDomain, operatorOf } from './operator-of.ts'
import { nodeName, orderNodes } from './order-nodes.ts'
import { checkedShape, elementType, readTensor, tensorType } from './read-tensor.ts'
import { EXTERNAL_LOCATION, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from './schema.ts'
import { refuseUnknownOperators } from './unknown-operators.ts'

export interface ReadOptions {
  /** What messages call the model: its path. */
  readonly file: string
  /** Sizes of the axes the model leaves open, by the name it gives them (`width`) or by place (`pixels:3`). */
  readonly dimensions?: Dimensions
  /** Names of the outputs, or of any values inside, that the graph shall have as outputs; all outputs by default. */
  readonly outputs?: readonly string[]
  /** What was found of tensors stored outside of the model: where they lie, or their bytes. */
  readonly external?: ReadonlyMap<OnnxTensor, WeightLocation | Uint8Array>
}

/** Oldest operator set whose broadcasting is today's, and the newest whose operators were checked. */
const OPSETS = { oldest: 7, newest: 27 } as const

/**
 * An ONNX model as a graph with fixed shapes, so that it can be differentiated. Everything computed from shapes alone is worked out
 * here. Weights and constants keep their names and are found in `graph.parameters`. bfloat16 becomes float32.
 *
 * Throws `onnx.unsupported-operator` listing every operator that cannot be imported, `onnx.malformed` naming the node or tensor
 * that breaks a rule, `weights.wrong-type` for element types Halfstep does not read, and `usage` when `options` leave a size open
 * or name an output the model has not.
 */
export function readOnnx(bytes: Uint8Array, options: ReadOptions): Graph {
  return importModel(decodeOnnx(bytes, options.file), options)
}

/** As {@link readOnnx}, from a decoded model. */
export function importModel(model: OnnxModel, options: ReadOptions): Graph {
  const source = model.graph
  if (source === undefined) throw malformedOnnx(options.file, 'it holds no graph')
  return new ModelImporter(model, options).import(source)
}

/** Values by their names in the file; undefined for an output of a node that its importer does not give. */
type Names = Map<string, Value | undefined>

class ModelImporter implements ImportServices {
  readonly file: string
  readonly #model: OnnxModel
  readonly #options: ReadOptions
  readonly #graph = new Graph()
  readonly #known = new KnownValues()
  readonly #opsets: ReadonlyMap<string, number>
  /** Names visible where nodes are being built: those of the main graph, then those of each subgraph around. */
  readonly #visible: Names[] = []
  #outputs: readonly string[] = []

  constructor(model: OnnxModel, options: ReadOptions) {
    this.file = options.file
    this.#model = model
    this.#options = options
    this.#opsets = opsetsOf(model, options.file)
  }

  import(source: OnnxGraph): Graph {
    this.#outputs = this.#wantedOutputs(source)
    const names: Names = new Map()
    this.#visible.push(names)
    const stored = new Set(source.initializer.map(({ name }) => name))
    for (const info of source.input) if (!stored.has(info.name)) this.#input(info, names)
    for (const tensor of source.initializer) this.#define(names, tensor.name ?? '', this.stored(tensor, tensor.name ?? ''), 'tensor')
    const nodes = orderNodes(source.node, this.#outputs, (name) => names.has(name), this.file)
    refuseUnknownOperators(nodes, this.#opsets, this.#model.functions ?? [], this.file)
    this.#build(nodes, this.#graph.scope, names)
    for (const name of this.#outputs) this.#graph.output(name, this.#value(name, 'an output'))
    return this.#graph
  }

  known(value: Value): Tensor | undefined {
    return this.#known.of(value)
  }

  stored(tensor: OnnxTensor, name: string): Value {
    if (tensor.dataLocation === EXTERNAL_LOCATION) return this.#external(tensor, name)
    const read = readTensor(tensor, this.file)
    return isFloat(read.dtype) ? this.#graph.parameter(name, read) : this.#graph.constant(read, name)
  }

  body(source: OnnxGraph, g: Scope): Value[] {
    if (source.input.length > 0) throw malformedOnnx(this.file, 'a branch takes inputs')
    const names: Names = new Map()
    this.#visible.push(names)
    try {
      for (const tensor of source.initializer) this.#define(names, tensor.name ?? '', this.stored(tensor, tensor.name ?? ''), 'tensor')
      const wanted = source.output.map(({ name }) => name ?? '')
      this.#build(
        orderNodes(source.node, wanted, (name) => this.#visible.some((level) => level.has(name)), this.file),
        g,
        names,
      )
      return wanted.map((name) => this.#value(name, 'an output of a branch'))
    } finally {
      this.#visible.pop()
    }
  }

  #wantedOutputs(source: OnnxGraph): readonly string[] {
    const { outputs } = this.#options
    const declared = source.output.map(({ name }) => name ?? '')
    if (outputs === undefined && declared.length === 0) throw malformedOnnx(this.file, 'it has no outputs')
    if (new Set(declared).size !== declared.length) throw malformedOnnx(this.file, 'it has two outputs of one name')
    if (outputs === undefined) return declared
    const made = new Set([...declared, ...source.node.flatMap(({ output }) => output)])
    const missing = outputs.find((name) => !made.has(name))
    if (missing === undefined) return [...new Set(outputs)]
    throw new HalfstepError('usage', `${this.file} has no output named ${missing}.`, `Choose one of ${declared.join(', ')}.`, {
      outputs: declared,
    })
  }

  #input(info: OnnxValueInfo, names: Names): void {
    const name = info.name ?? ''
    const tensor = info.type?.tensorType
    if (tensor === undefined) throw this.#unsupported(`takes ${name}, an input that is no tensor`)
    const dtype = importedType(elementType(tensor.elemType, `the input ${name}`, this.file))
    const shape = checkedShape(inputShape(info, this.#options.dimensions ?? {}, this.file), `the input ${name}`, this.file)
    if (names.has(name) || name === '') throw malformedOnnx(this.file, `the input ${name} is declared twice or has no name`)
    names.set(name, this.#graph.input(name, dtype, shape))
  }

  #external(tensor: OnnxTensor, name: string): Value {
    const found = this.#options.external?.get(tensor)
    if (found === undefined) throw malformedOnnx(this.file, `the tensor ${name} is stored in another file, which was not given`)
    const { dataLocation, externalData, ...here } = tensor
    if (found instanceof Uint8Array) return this.stored({ ...here, rawData: found }, name)
    const { dtype, shape } = tensorType(tensor, this.file)
    const weight = this.#graph.weight(name, dtype, shape, found)
    const value = cast(this.#graph.scope, weight, importedType(dtype))
    this.#graph.parameters.set(name, value)
    return value
  }

  #build(nodes: readonly OnnxNode[], place: Scope, names: Names): void {
    for (const node of nodes) {
      const values = this.#node(node, place.at(this.#pathOf(node)))
      node.output.forEach((name, i) => {
        if (name !== '') this.#define(names, name, values[i] && this.#known.settle(this.#graph, values[i]), 'value')
      })
    }
  }

  #node(node: OnnxNode, g: Scope): readonly Value[] {
    const { domain, operator } = operatorOf(node)
    const importer = importerOf(domain, operator)
    if (importer === undefined) throw new HalfstepError('internal', `The operator ${operator} was not refused.`)
    const inputs = node.input.map((name) => (name === '' ? undefined : this.#value(name, nodeName(node))))
    const result = this.#named(node, () => importer(new NodeContext(this, g, node, this.#opsets.get(domain) ?? 1, inputs)))
    const values = 'source' in result ? [result] : result
    for (const value of values) checkedShape(value.shape, `the result of ${nodeName(node)}`, this.file)
    return values
  }

  /** Operands that do not fit together are the file's fault here, so the error names it and the node. */
  #named<T>(node: OnnxNode, build: () => T): T {
    try {
      return build()
    } catch (error) {
      if (error instanceof HalfstepError && error.code === 'graph.shape') {
        throw malformedOnnx(this.file, `the node ${nodeName(node)} does not fit its operands: ${error.message.replace(/\.$/, '')}`)
      }
      throw error
    }
  }

  #value(name: string, by: string): Value {
    for (const names of this.#visible.toReversed()) {
      if (!names.has(name)) continue
      const value = names.get(name)
      if (value !== undefined) return value
      throw this.#unsupported(`uses ${name} for ${by}, a result`)
    }
    throw malformedOnnx(this.file, `${by} takes ${name}, which nothing makes`)
  }

  #define(names: Names, name: string, value: Value | undefined, what: string): void {
    if (names.has(name)) throw malformedOnnx(this.file, `the ${what} ${name} is there twice`)
    names.set(name, value)
  }

  /** The error for something of ONNX that has no counterpart here; `what` completes "FILE …, which Halfstep cannot import.". */
  #unsupported(what: string): HalfstepError {
    const message = `${this.file} ${what}, which Halfstep cannot import.`
    return new HalfstepError('onnx.unsupported-operator', message, 'Export the model without it.', { file: this.file })
  }

  /** The node's name (or what it makes) leads the names of its values, but must not lead to the name of an output. */
  #pathOf(node: OnnxNode): string {
    let path = node.name === undefined || node.name === '' ? (node.output[0] ?? '') : node.name
    while (this.#outputs.some((output) => output.startsWith(`${path}.`))) path += '~'
    return path
  }
}

function opsetsOf(model: OnnxModel, file: string): ReadonlyMap<string, number> {
  const opsets = new Map(model.opsetImport.map(({ domain, version }) => [normalDomain(domain), version ?? 0]))
  const own = opsets.get('')
  if (own === undefined) throw malformedOnnx(file, 'it does not say which operator set it uses')
  if (own >= OPSETS.oldest && own <= OPSETS.newest) return opsets
  const message = `${file} uses operator set ${own} of ONNX, and Halfstep imports ${OPSETS.oldest} to ${OPSETS.newest}.`
  throw new HalfstepError('onnx.unsupported-operator', message, 'Export the model for operator set 18.', { file, operators: [] })
}
