import { Graph, type Scope, type Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import { elementCount } from '../main/engine/tensor/shape.ts'
import { Module, type Model, type ModelOptions } from './module.ts'
import type { WeightSource } from './weights/weight-source.ts'

export type CnnActivation = 'relu' | 'leaky-relu' | 'silu' | 'gelu' | 'tanh' | 'sigmoid'

/** One layer of a plain convolutional network. */
export type CnnLayer =
  | { readonly kind: 'conv'; readonly channels: number; readonly kernel: number; readonly stride?: number; readonly padding?: number }
  | { readonly kind: 'group-norm'; readonly groups: number }
  | { readonly kind: 'activation'; readonly activation: CnnActivation }
  | { readonly kind: 'max-pool' | 'average-pool'; readonly size: number }
  /** Mean over height and width: [b, c, h, w] → [b, c]. */
  | { readonly kind: 'global-average' }
  /** [b, c, h, w] → [b, c·h·w] */
  | { readonly kind: 'flatten' }
  | { readonly kind: 'linear'; readonly features: number }

/** A plain network, layer by layer. */
export interface CnnConfig {
  readonly layers: readonly CnnLayer[]
}

const NORM_EPSILON = 1e-5

/** Slope of leaky ReLU below zero, PyTorch's default. */
const LEAK = 0.01

/** The layers in order; layer i has its weights at `<i>.weight` and `<i>.bias`, as PyTorch's Sequential names them. */
export function cnn(m: Module, config: CnnConfig, x: Value): Value {
  return config.layers.reduce((h, layer, i) => applyLayer(m, String(i), layer, h), m.cast(x))
}

function applyLayer(m: Module, name: string, layer: CnnLayer, x: Value): Value {
  const g = m.at(name).scope
  switch (layer.kind) {
    case 'conv':
      return m.conv2d(name, x, layer.channels, layer)
    case 'group-norm':
      return m.groupNorm(name, x, layer.groups, NORM_EPSILON)
    case 'activation':
      return activate(g, x, layer.activation)
    case 'max-pool':
      return ops.maxPool(g, x, [layer.size, layer.size], { strides: [layer.size, layer.size] })
    case 'average-pool':
      return ops.averagePool(g, x, [layer.size, layer.size], { strides: [layer.size, layer.size] })
    case 'global-average':
      return ops.mean(g, x, [2, 3])
    case 'flatten':
      return ops.reshape(g, x, [x.shape[0] ?? 1, elementCount(x.shape.slice(1))])
    case 'linear':
      return m.linear(name, x, layer.features)
  }
}

function activate(g: Scope, x: Value, activation: CnnActivation): Value {
  switch (activation) {
    case 'relu':
      return ops.relu(g, x)
    case 'leaky-relu':
      return ops.leakyRelu(g, x, LEAK)
    case 'silu':
      return ops.silu(g, x)
    case 'gelu':
      return ops.gelu(g, x)
    case 'tanh':
      return ops.tanh(g, x)
    case 'sigmoid':
      return ops.sigmoid(g, x)
  }
}

export interface CnnOptions extends ModelOptions {
  readonly batch: number
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** The network as a graph of its own: input `pixels` [b, c, h, w], output `output`, whatever the last layer gives; float32. */
export function buildCnn(config: CnnConfig, weights: WeightSource, options: CnnOptions): Model<'pixels', 'output'> {
  const graph = new Graph()
  const pixels = graph.input('pixels', 'float32', [options.batch, options.channels, options.height, options.width])
  const m = Module.root(graph.scope, weights, options)
  const output = ops.cast(graph.scope, cnn(m, config, pixels), 'float32')
  graph.output('output', output)
  return { graph, inputs: { pixels }, outputs: { output }, adapterTargets: m.adapterTargets, parameters: m.parameters }
}
