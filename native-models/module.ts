import { Scope, type Graph, type Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import { bytesPerElement } from '../main/engine/tensor/dtype.ts'
import { elementCount, type Shape } from '../main/engine/tensor/shape.ts'
import type { AdaptedLayer, AdapterSlot, AdapterTarget, AdapterValues } from './adapter-slot.ts'
import { adapterTarget, strengthInput } from './adapter-slot.ts'
import { requireWeight, type WeightEntry, type WeightSource } from './weights/weight-source.ts'

/** The element type a network computes in. */
export type ComputeType = 'float32' | 'float16'

/** How a network is built, whatever the network. */
export interface ModelOptions {
  /** float32 by default. Weights of another type are cast on their way in. */
  readonly compute?: ComputeType
  readonly adapters?: readonly AdapterSlot[]
  /** Weights, by full name, that are graph inputs (float32) instead of being mapped from their file: those to be trained. */
  readonly trainable?: (name: string) => boolean
  /** Attention scores are computed in chunks of queries, each at most this many elements. Unlimited by default. */
  readonly maxScoreElements?: number
}

/** A weight that is a graph input, under its full name, in float32. */
export interface Parameter {
  readonly name: string
  readonly shape: Shape
}

/** A network as a graph of its own. The names of inputs and outputs are those of the graph; some depend on the config. */
export interface Model<
  Inputs extends string,
  Outputs extends string,
  MoreInputs extends string = never,
  MoreOutputs extends string = never,
> {
  readonly graph: Graph
  readonly inputs: Readonly<Record<Inputs, Value> & Partial<Record<MoreInputs, Value>>>
  readonly outputs: Readonly<Record<Outputs, Value> & Partial<Record<MoreOutputs, Value>>>
  readonly adapterTargets: readonly AdapterTarget[]
  readonly parameters: readonly Parameter[]
}

export interface ConvLayerOptions {
  /** Odd or even, the same in both directions. */
  readonly kernel: number
  readonly stride?: number
  /** Zeros on every side, or [top, left, bottom, right]. */
  readonly padding?: number | readonly [number, number, number, number]
  readonly bias?: boolean
}

/** What all modules of one network share. */
class Network {
  readonly weights: WeightSource
  readonly compute: ComputeType
  readonly slots: readonly AdapterSlot[]
  readonly trainable: (name: string) => boolean
  readonly maxScoreElements: number
  readonly targets: AdapterTarget[] = []
  readonly parameters: Parameter[] = []
  readonly #inputs = new Map<string, Value>()

  constructor(weights: WeightSource, options: ModelOptions) {
    this.weights = weights
    this.compute = options.compute ?? 'float32'
    this.slots = options.adapters ?? []
    this.trainable = options.trainable ?? (() => false)
    this.maxScoreElements = options.maxScoreElements ?? Infinity
  }

  /** A float32 graph input, declared on first use and shared by all further uses (a layer that is applied twice). */
  input(graph: Graph, name: string, shape: Shape, onDeclaration?: () => void): Value {
    const known = this.#inputs.get(name)
    if (known !== undefined) return known
    const value = graph.input(name, 'float32', shape)
    this.#inputs.set(name, value)
    onDeclaration?.()
    return value
  }
}

/**
 * A place in a network where layers are built: a scope of the graph and the path that leads the names of the weights.
 * Layers take values of the compute type and give values of the compute type.
 */
export class Module {
  readonly scope: Scope
  /** Path of the module in diffusers' and transformers' naming; empty for the whole network. */
  readonly path: string
  readonly #network: Network

  private constructor(scope: Scope, path: string, network: Network) {
    this.scope = scope
    this.path = path
    this.#network = network
  }

  /** The root of a network. Networks joined in one graph have a root each, at scopes of their own. */
  static root(scope: Scope, weights: WeightSource, options: ModelOptions = {}): Module {
    return new Module(scope, '', new Network(weights, options))
  }

  get compute(): ComputeType {
    return this.#network.compute
  }

  get maxScoreElements(): number {
    return this.#network.maxScoreElements
  }

  /** The layers of the network that adapters sit on, as far as it is built. */
  get adapterTargets(): readonly AdapterTarget[] {
    return this.#network.targets
  }

  /** The weights of the network that became graph inputs, as far as it is built. */
  get parameters(): readonly Parameter[] {
    return this.#network.parameters
  }

  /** The module of this name inside this one. */
  at(name: string): Module {
    return new Module(this.scope.at(name), this.#join(name), this.#network)
  }

  /** The module of this name inside this one, as a recomputation segment. */
  segment(name: string): Module {
    return new Module(this.scope.segment(name), this.#join(name), this.#network)
  }

  /** This same module with its nodes in a new segment: for segments that do not coincide with one module. */
  inSegment(label: string): Module {
    const { graph, region, path, currentSegment } = this.scope
    const segment = { path: this.scope.join(label), parent: currentSegment }
    return new Module(new Scope(graph, region, path, segment), this.path, this.#network)
  }

  /** A value in the compute type. */
  cast(x: Value): Value {
    return ops.cast(this.scope, x, this.compute)
  }

  /** A weight in the compute type. Throws as `requireWeight` does. */
  weight(name: string, shape: Shape): Value {
    return this.cast(this.#stored(name, shape))
  }

  /** Rows start … end of a weight [rows, …] in the compute type; on disk they are a stretch of their own. */
  weightRows(name: string, shape: Shape, start: number, end: number): Value {
    const [rows = 0, ...rest] = shape
    const entry = this.#entry(name, shape)
    if (entry === undefined || entry.transposed === true || (start === 0 && end === rows)) {
      return ops.slice(this.scope, this.weight(name, shape), [0], [start], [end])
    }
    const rowBytes = elementCount(rest) * bytesPerElement(entry.dtype)
    const part = { file: entry.file, byteOffset: entry.byteOffset + start * rowBytes, byteLength: (end - start) * rowBytes }
    return this.cast(this.scope.graph.weight(`${entry.name}[${start}:${end}]`, entry.dtype, [end - start, ...rest], part))
  }

  /** x [..., in] → [..., outFeatures]; weight [outFeatures, in] as PyTorch stores it. */
  linear(name: string, x: Value, outFeatures: number, options: { readonly bias?: boolean } = {}): Value {
    const [y] = this.linearPieces(name, x, [outFeatures], options)
    return y!
  }

  /**
   * A linear layer whose output features are wanted in consecutive pieces of the given sizes. Each piece is a product with
   * its own rows of the weight, so that nothing is cut out of the output, nor put together again in the backward pass.
   *
   * Adapters: with t = (alpha/rank) · strength · x Aᵀ [rows, rank], y = t Bᵀ + (x Wᵀ + bias) is one Gemm whose operand C
   * is the layer's own result.
   */
  linearPieces(name: string, x: Value, sizes: readonly number[], { bias = true }: { readonly bias?: boolean } = {}): Value[] {
    const layer = this.at(name)
    const g = layer.scope
    const inFeatures = x.shape.at(-1) ?? 1
    const outFeatures = sizes.reduce((a, b) => a + b, 0)
    const leading = x.shape.slice(0, -1)
    const flat = ops.reshape(g, x, [elementCount(leading), inFeatures])
    const lowRank = layer.#adapters('linear', [outFeatures, inFeatures]).map(({ down, up, strength, rank, alpha }) => {
      const t = ops.gemm(g, flat, down, undefined, { alpha: alpha / rank, transB: true })
      return { t: ops.mul(g, t, strength), up }
    })
    let start = 0
    return sizes.map((size) => {
      const end = start + size
      let y = layer.#product(flat, [outFeatures, inFeatures], start, end, bias)
      for (const { t, up } of lowRank) y = ops.gemm(g, t, ops.slice(g, up, [0], [start], [end]), y, { transB: true })
      start = end
      return ops.reshape(g, y, [...leading, size])
    })
  }

  /** x [n, in, h, w] → [n, outChannels, h', w']. An adapter's A has the layer's window, its B is 1×1. */
  conv2d(name: string, x: Value, outChannels: number, options: ConvLayerOptions): Value {
    const layer = this.at(name)
    const g = layer.scope
    const { kernel, stride = 1, padding = 0, bias = true } = options
    const pads = typeof padding === 'number' ? [padding, padding, padding, padding] : padding
    const window = { strides: [stride, stride], pads }
    const shape = [outChannels, x.shape[1] ?? 1, kernel, kernel]
    const weight = layer.weight('weight', shape)
    const y = ops.conv(g, x, weight, bias ? layer.weight('bias', [outChannels]) : undefined, window)
    return layer.#adapters('conv2d', shape).reduce((sum, { down, up, strength, rank, alpha }) => {
      const t = ops.mul(g, ops.conv(g, x, down, undefined, window), ops.scale(g, strength, alpha / rank))
      return ops.add(g, sum, ops.conv(g, t, up))
    }, y)
  }

  /** Group normalisation of x [n, c, ...] with learned scale and shift per channel. */
  groupNorm(name: string, x: Value, groups: number, epsilon: number): Value {
    const layer = this.at(name)
    const shape = [x.shape[1] ?? 1]
    return ops.groupNorm(layer.scope, x, layer.weight('weight', shape), layer.weight('bias', shape), groups, epsilon)
  }

  /** Layer normalisation of the last axis of x with learned scale and shift. */
  layerNorm(name: string, x: Value, epsilon: number): Value {
    const layer = this.at(name)
    const shape = [x.shape.at(-1) ?? 1]
    return ops.layerNorm(layer.scope, x, layer.weight('weight', shape), layer.weight('bias', shape), epsilon)
  }

  /** Rows of a table [count, width] picked by integer ids [...] → [..., width]. Only the picked rows are cast. */
  embedding(name: string, ids: Value, count: number, width: number): Value {
    const layer = this.at(name)
    return layer.cast(ops.gather(layer.scope, layer.#stored('weight', [count, width]), ids))
  }

  /** x Wᵀ + bias for rows start … end of the layer's weight W, which `Gemm` reads in whichever order it is stored. */
  #product(x: Value, shape: Shape, start: number, end: number, bias: boolean): Value {
    const g = this.scope
    const entry = this.#entry('weight', shape)
    const transposed = entry?.transposed === true
    const weight = transposed
      ? this.cast(ops.slice(g, mapped(g.graph, entry), [1], [start], [end]))
      : this.weightRows('weight', shape, start, end)
    const offset = bias ? this.weightRows('bias', shape.slice(0, 1), start, end) : undefined
    return ops.gemm(g, x, weight, offset, { transB: !transposed })
  }

  /** A weight as its file types it, or the graph input that stands for it. */
  #stored(name: string, shape: Shape): Value {
    const entry = this.#entry(name, shape)
    if (entry === undefined) return this.#parameter(this.#join(name), shape)
    const value = mapped(this.scope.graph, entry)
    return entry.transposed === true ? ops.transpose(this.scope, value, [1, 0]) : value
  }

  /** Where a weight lies, or undefined when it is to be trained and lies nowhere. */
  #entry(name: string, shape: Shape): WeightEntry | undefined {
    const full = this.#join(name)
    return this.#network.trainable(full) ? undefined : requireWeight(this.#network.weights, full, shape)
  }

  #parameter(name: string, shape: Shape): Value {
    const { parameters } = this.#network
    return this.#network.input(this.scope.graph, name, shape, () => parameters.push({ name, shape }))
  }

  /** The adapters on this layer, whose weight has the given shape. */
  #adapters(kind: AdaptedLayer, layer: Shape): AdapterValues[] {
    const { graph } = this.scope
    const network = this.#network
    return network.slots.flatMap((slot) => {
      const shape = slot.target(this.path, kind)
      if (shape === undefined) return []
      const target = adapterTarget(slot.name, this.path, kind, layer, shape)
      const down = network.input(graph, target.down.input, target.down.shape, () => network.targets.push(target))
      const up = network.input(graph, target.up.input, target.up.shape)
      const strength = network.input(graph, strengthInput(slot.name), [])
      return [{ ...shape, down: this.cast(down), up: this.cast(up), strength: this.cast(strength) }]
    })
  }

  #join(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }
}

/** A weight that stays in its file, in the order it has there. */
function mapped(graph: Graph, { name, dtype, shape, file, byteOffset, byteLength, transposed }: WeightEntry): Value {
  return graph.weight(name, dtype, transposed === true ? shape.toReversed() : shape, { file, byteOffset, byteLength })
}
