import type { VaeConfig } from '../../../native-models/checkpoint/vae-config.ts'
import { Module, type Parameter } from '../../../native-models/module.ts'
import { vaeDecoder, vaeEncoder } from '../../../native-models/vae.ts'
import { weightSource } from '../../../native-models/weights/weight-source.ts'
import { Graph, type Scope, type Value } from '../graph/graph.ts'
import * as ops from '../graph/ops/index.ts'

/** A network's loss as a graph whose weights are inputs. */
export interface LossGraph {
  readonly graph: Graph
  readonly parameters: readonly Parameter[]
}

/** Weight of the differences between neighbouring pixels, which keep edges sharp. */
const EDGE_WEIGHT = 0.5

/** Weight of KL(q ‖ N(0, I)) per latent number: just enough to keep latents near zero and the space without holes. */
const KL_WEIGHT = 3e-4

const NOTHING_ON_FILE = weightSource('(weights to be trained)', [])
const ALL_TRAINED = { trainable: () => true }

/**
 * The autoencoder's loss for pictures `pixels` [b, 3, H, W] in [−1, 1] and `noise` [b, c, h, w]: output `loss`, and `error`, the
 * mean absolute error alone. L1 + L2 + edges + KL, without an adversary: the drawings are simple.
 */
export function autoencoderLoss(config: VaeConfig, batch: number, size: number): LossGraph {
  const graph = new Graph()
  const g = graph.scope
  const latent = size / 2 ** (config.blockOutChannels.length - 1)
  const pixels = graph.input('pixels', 'float32', [batch, config.inChannels, size, size])
  const noise = graph.input('noise', 'float32', [batch, config.latentChannels, latent, latent])
  const m = Module.root(g, NOTHING_ON_FILE, ALL_TRAINED)
  const { mean, logVariance } = vaeEncoder(m, config, pixels)
  const deviation = ops.exp(g, ops.scale(g, logVariance, 0.5))
  const decoded = vaeDecoder(m, config, ops.add(g, mean, ops.mul(g, noise, deviation)))
  const divergence = gaussianDivergence(g, mean, logVariance)
  outputs(graph, pixels, decoded, ops.scale(g, divergence, KL_WEIGHT))
  return { graph, parameters: m.parameters }
}

/** The decoder's loss alone, for latents `latents` [b, c, h, w] of pictures `pixels` [b, 3, H, W]; outputs as above. */
export function decoderLoss(config: VaeConfig, batch: number, size: number): LossGraph {
  const graph = new Graph()
  const latent = size / 2 ** (config.blockOutChannels.length - 1)
  const pixels = graph.input('pixels', 'float32', [batch, config.outChannels, size, size])
  const latents = graph.input('latents', 'float32', [batch, config.latentChannels, latent, latent])
  const m = Module.root(graph.scope, NOTHING_ON_FILE, ALL_TRAINED)
  outputs(graph, pixels, vaeDecoder(m, config, latents))
  return { graph, parameters: m.parameters }
}

function outputs(graph: Graph, pixels: Value, decoded: Value, penalty?: Value): void {
  const g = graph.scope
  const difference = ops.sub(g, decoded, pixels)
  const error = ops.mean(g, magnitude(g, difference))
  const edges = ops.add(g, edgesAlong(g, difference, 2), edgesAlong(g, difference, 3))
  const loss = ops.add(g, ops.add(g, error, ops.mean(g, ops.mul(g, difference, difference))), ops.scale(g, edges, EDGE_WEIGHT))
  graph.output('loss', penalty === undefined ? loss : ops.add(g, loss, penalty))
  graph.output('error', error)
}

/** Mean |Δ| of a picture's differences along an axis. */
function edgesAlong(g: Scope, difference: Value, axis: number): Value {
  const size = difference.shape[axis] ?? 1
  const steps = ops.sub(g, ops.slice(g, difference, [axis], [1], [size]), ops.slice(g, difference, [axis], [0], [size - 1]))
  return ops.mean(g, magnitude(g, steps))
}

function magnitude(g: Scope, x: Value): Value {
  return ops.unary(g, 'Abs', x)
}

/** ½ (μ² + σ² − 1 − ln σ²), the mean over all latent numbers (Kingma & Welling 2014, appendix B). */
function gaussianDivergence(g: Scope, mean: Value, logVariance: Value): Value {
  const terms = ops.sub(g, ops.add(g, ops.mul(g, mean, mean), ops.exp(g, logVariance)), logVariance)
  return ops.scale(g, ops.shift(g, ops.mean(g, terms), -1), 0.5)
}
