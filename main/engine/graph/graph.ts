import { HalfstepError } from '../errors.ts'
import type { DType } from '../tensor/dtype.ts'
import { formatShape, type Shape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Operator, OperatorAttributes } from './operators.ts'

/** Where the bytes of a weight lie on disk, so that the runtime can map them without a copy. */
export interface WeightLocation {
  /** Absolute path. */
  readonly file: string
  readonly byteOffset: number
  readonly byteLength: number
}

/** What a value is made from. */
export type ValueSource =
  | { readonly kind: 'input' }
  | { readonly kind: 'weight'; readonly location: WeightLocation }
  | { readonly kind: 'constant'; readonly tensor: Tensor }
  | { readonly kind: 'node'; readonly node: Node; readonly index: number }

/** An immutable tensor in the graph: element type and shape are always known. */
export interface Value {
  /** Unique in its graph, and led by the module path, so that an error or a profile can be read. */
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly source: ValueSource
}

/** One application of a given operator. */
export interface NodeOf<O extends Operator> {
  /** Creation order, which is a topological order. */
  readonly order: number
  readonly operator: O
  /** Module path it was built at. */
  readonly path: string
  readonly name: string
  /** An absent optional operand is undefined. */
  readonly inputs: readonly (Value | undefined)[]
  readonly attributes: OperatorAttributes[O]
  readonly outputs: readonly Value[]
  readonly region: Region
  readonly segment: Segment | undefined
}

/** One application of any operator; its `operator` tells which, and with it the type of its attributes. */
export type Node = { [O in Operator]: NodeOf<O> }[Operator]

/**
 * A body of nodes that runs as a whole: the main graph, or one branch of an `If`. Nodes of a branch may use values of any
 * enclosing region; they are captured by name, as ONNX does.
 */
export interface Region {
  readonly parent: Region | undefined
  /** What an `If` branch yields; empty for the main region, whose results are the graph's outputs. */
  readonly results: Value[]
}

/**
 * A stretch of the forward pass that is recomputed when it is differentiated, so that of its insides nothing is kept but
 * the outputs of segments nested in it. Made by {@link Scope.segment}.
 */
export interface Segment {
  readonly path: string
  readonly parent: Segment | undefined
}

/** Element type and shape of a value to be made. */
export interface ValueType {
  readonly dtype: DType
  readonly shape: Shape
}

/** A computation: named inputs, named outputs, and the nodes reachable from the outputs. */
export class Graph {
  readonly main: Region = { parent: undefined, results: [] }
  readonly inputs: Value[] = []
  readonly outputs = new Map<string, Value>()
  /** Weights and constants that can be asked for by name, to differentiate by them: those of an imported model. */
  readonly parameters = new Map<string, Value>()
  readonly #names = new Set<string>()
  readonly #constants = new Map<string, Value>()
  readonly #weights = new Map<string, Value>()
  #nextOrder = 0

  /** The place where main-graph nodes are built. */
  get scope(): Scope {
    return new Scope(this, this.main, '', undefined)
  }

  /** Declares a graph input. Throws `internal` when the name is taken: callers feed inputs by exactly this name. */
  input(name: string, dtype: DType, shape: Shape): Value {
    if (this.#names.has(name)) throw new HalfstepError('internal', `The graph already has a value named ${name}.`)
    const value = this.#value(name, { dtype, shape }, { kind: 'input' })
    this.inputs.push(value)
    return value
  }

  /** Declares a graph output under the given name. The same value may be an output twice. */
  output(name: string, value: Value): void {
    if (this.outputs.has(name)) throw new HalfstepError('internal', `The graph already has an output named ${name}.`)
    this.outputs.set(name, value)
    this.#names.add(name)
  }

  /** A weight that stays where it lies on disk; asking for the same place and shape again gives the same value. */
  weight(name: string, dtype: DType, shape: Shape, location: WeightLocation): Value {
    const key = `${location.file}:${location.byteOffset}:${dtype}:${shape.join(',')}`
    const known = this.#weights.get(key)
    if (known !== undefined) return known
    const value = this.#value(this.uniqueName(name), { dtype, shape }, { kind: 'weight', location })
    this.#weights.set(key, value)
    return value
  }

  /** A small tensor stored in the graph itself; equal small constants are shared. */
  constant(tensor: Tensor, name = 'constant'): Value {
    const key = tensor.data.length <= 16 ? `${tensor.dtype}:${tensor.shape.join(',')}:${tensor.data.join(',')}` : undefined
    const known = key === undefined ? undefined : this.#constants.get(key)
    if (known !== undefined) return known
    const value = this.#value(this.uniqueName(name), tensor, { kind: 'constant', tensor })
    if (key !== undefined) this.#constants.set(key, value)
    return value
  }

  /** A tensor stored in the graph itself and found among its `parameters`; unlike a constant it is never shared with an equal one. */
  parameter(name: string, tensor: Tensor): Value {
    const value = this.#value(this.uniqueName(name), tensor, { kind: 'constant', tensor })
    if (!this.parameters.has(name)) this.parameters.set(name, value)
    return value
  }

  /** The name itself if it is free, else the name with the first free number. */
  uniqueName(name: string): string {
    let candidate = name
    for (let count = 1; this.#names.has(candidate); count++) candidate = `${name}~${count}`
    return candidate
  }

  /** Adds a node; used by {@link Scope.emit}. */
  node<O extends Operator>(
    operator: O,
    inputs: readonly (Value | undefined)[],
    attributes: OperatorAttributes[O],
    types: readonly ValueType[],
    place: { readonly path: string; readonly region: Region; readonly segment: Segment | undefined },
  ): NodeOf<O> {
    const order = this.#nextOrder++
    const outputs: Value[] = []
    const name = this.uniqueName(`${place.path === '' ? '' : `${place.path}.`}${operator}_${order}`)
    const { path, region, segment } = place
    const node: NodeOf<O> = { order, operator, path, name, inputs, attributes, outputs, region, segment }
    types.forEach((type, index) => {
      // NodeOf<O> is a member of the union for whatever O is; the compiler cannot see that through the type parameter.
      const source: ValueSource = { kind: 'node', node: node as unknown as Node, index }
      outputs.push(this.#value(types.length === 1 ? name : `${name}:${index}`, type, source))
    })
    return node
  }

  #value(name: string, { dtype, shape }: ValueType, source: ValueSource): Value {
    this.#names.add(name)
    return { name, dtype, shape, source }
  }
}

/** Where nodes are built: the graph, the region, the module path that leads their names, and the segment they belong to. */
export class Scope {
  readonly graph: Graph
  readonly region: Region
  readonly path: string
  readonly currentSegment: Segment | undefined

  constructor(graph: Graph, region: Region, path: string, segment: Segment | undefined) {
    this.graph = graph
    this.region = region
    this.path = path
    this.currentSegment = segment
  }

  /** The same place, one step down the module path. */
  at(name: string): Scope {
    return new Scope(this.graph, this.region, this.join(name), this.currentSegment)
  }

  /** The same place, inside a new segment (nested in the current one, if there is one). */
  segment(name: string): Scope {
    const path = this.join(name)
    return new Scope(this.graph, this.region, path, { path, parent: this.currentSegment })
  }

  /** A place inside a new region of this one: the branch of an `If`. */
  branch(name: string): Scope {
    return new Scope(this.graph, { parent: this.region, results: [] }, this.join(name), undefined)
  }

  /** The module path of a child. */
  join(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  /** Adds a node here and gives its outputs. */
  emit<O extends Operator>(
    operator: O,
    inputs: readonly (Value | undefined)[],
    attributes: OperatorAttributes[O],
    types: readonly ValueType[],
  ): readonly Value[] {
    return this.graph.node(operator, inputs, attributes, types, { path: this.path, region: this.region, segment: this.currentSegment })
      .outputs
  }

  /** Adds a node with a single output. */
  emitOne<O extends Operator>(
    operator: O,
    inputs: readonly (Value | undefined)[],
    attributes: OperatorAttributes[O],
    type: ValueType,
  ): Value {
    const [value] = this.emit(operator, inputs, attributes, [type])
    if (value === undefined) throw new HalfstepError('internal', `${operator} gave no output.`)
    return value
  }
}

/** The error for operands that do not fit together. */
export function shapeError(g: Scope, operator: string, operands: readonly ValueType[], expected: string): HalfstepError {
  const shapes = operands.map((operand) => `${operand.dtype} ${formatShape(operand.shape)}`).join(' and ')
  const place = g.path === '' ? '' : ` at ${g.path}`
  return new HalfstepError('graph.shape', `${operator}${place} got ${shapes}, but ${expected}.`)
}

/** The nodes that the given values need, in topological order; with `within`, only those of that region. */
export function nodesFor(values: Iterable<Value>, within?: Region): Node[] {
  const found = new Set<Node>()
  const pending = [...values]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value.source.kind !== 'node' || found.has(value.source.node)) continue
    const { node } = value.source
    found.add(node)
    for (const input of node.inputs) if (input !== undefined) pending.push(input)
    if (node.operator === 'If') pending.push(...node.attributes.then.results, ...node.attributes.else.results)
  }
  const nodes = [...found].sort((a, b) => a.order - b.order)
  return within === undefined ? nodes : nodes.filter((node) => node.region === within)
}
