import { Graph, type Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import { attention } from './attention.ts'
import type { VaeConfig } from './checkpoint/vae-config.ts'
import { Module, type Model, type ModelOptions } from './module.ts'
import { downsample, upsample } from './resample.ts'
import { resnetBlock } from './resnet-block.ts'
import { channelsFirst, channelsLast } from './transformer-2d.ts'
import type { WeightSource } from './weights/weight-source.ts'

/** Fixed in diffusers for every norm of the autoencoder. */
const NORM_EPSILON = 1e-6

/** Limits of the log-variance, as diffusers clamps it. */
const LOG_VARIANCE_MIN = -30
const LOG_VARIANCE_MAX = 20

/** A 3×3 convolution that keeps height and width. */
const SAME = { kernel: 3, padding: 1 }

/** A diagonal Gaussian over latents, each [b, latentChannels, h, w]. */
export interface LatentDistribution {
  readonly mean: Value
  /** Logarithm of the variance. */
  readonly logVariance: Value
}

/** AutoencoderKL's encoder: pixels [b, inChannels, H, W] in [−1, 1] → the distribution of the latents, not scaled. */
export function vaeEncoder(root: Module, config: VaeConfig, pixels: Value): LatentDistribution {
  const m = root.at('encoder')
  const channels = config.blockOutChannels
  let h = m.conv2d('conv_in', root.cast(pixels), channels[0] ?? 1, SAME)
  channels.forEach((count, i) => {
    const block = m.at(`down_blocks.${i}`)
    for (let layer = 0; layer < config.layersPerBlock; layer++) h = resnet(block, `resnets.${layer}`, h, count, config)
    if (i < channels.length - 1) h = downsample(block, 'downsamplers.0', h, 0)
  })
  h = midBlock(m.at('mid_block'), h, config)
  const last = root.inSegment('moments')
  const moments = headOf(last.at('encoder'), h, 2 * config.latentChannels, config)
  const quantised = config.useQuantConv ? last.conv2d('quant_conv', moments, 2 * config.latentChannels, { kernel: 1 }) : moments
  const [mean, logVariance] = ops.split(last.scope, quantised, [config.latentChannels, config.latentChannels], 1)
  return { mean: mean!, logVariance: ops.clip(last.scope, logVariance!, LOG_VARIANCE_MIN, LOG_VARIANCE_MAX) }
}

/** AutoencoderKL's decoder: latents [b, latentChannels, h, w], not scaled → pixels [b, outChannels, H, W], about [−1, 1]. */
export function vaeDecoder(root: Module, config: VaeConfig, latents: Value): Value {
  const m = root.at('decoder')
  const channels = config.blockOutChannels.toReversed()
  const cast = root.cast(latents)
  const input = config.usePostQuantConv ? root.conv2d('post_quant_conv', cast, config.latentChannels, { kernel: 1 }) : cast
  let h = midBlock(m.at('mid_block'), m.conv2d('conv_in', input, channels[0] ?? 1, SAME), config)
  channels.forEach((count, i) => {
    const block = m.at(`up_blocks.${i}`)
    for (let layer = 0; layer <= config.layersPerBlock; layer++) h = resnet(block, `resnets.${layer}`, h, count, config)
    if (i < channels.length - 1) h = upsample(block, 'upsamplers.0', h)
  })
  return headOf(m.inSegment('out'), h, config.outChannels, config)
}

function midBlock(m: Module, x: Value, config: VaeConfig): Value {
  const channels = x.shape[1] ?? 1
  let h = resnet(m, 'resnets.0', x, channels, config)
  if (config.midBlockAttention) h = attentionBlock(m.segment('attentions.0'), h, config)
  return resnet(m, 'resnets.1', h, channels, config)
}

function resnet(m: Module, name: string, x: Value, channels: number, config: VaeConfig): Value {
  return resnetBlock(m, name, x, { channels, groups: config.normGroups, epsilon: NORM_EPSILON })
}

/** Self-attention of the positions of x [b, c, h, w] with a single head, added to x. */
function attentionBlock(m: Module, x: Value, config: VaeConfig): Value {
  const g = m.scope
  const channels = x.shape[1] ?? 1
  const positions = channelsLast(g, m.groupNorm('group_norm', x, config.normGroups, NORM_EPSILON))
  const query = m.linear('to_q', positions, channels)
  const key = m.linear('to_k', positions, channels)
  const value = m.linear('to_v', positions, channels)
  const attended = attention(g, { query, key, value, heads: 1, upcast: true, maxScoreElements: m.maxScoreElements })
  return ops.add(g, x, channelsFirst(g, m.linear('to_out.0', attended, channels), x))
}

/** conv_out(silu(conv_norm_out(x))) */
function headOf(m: Module, x: Value, channels: number, config: VaeConfig): Value {
  const normal = ops.silu(m.scope, m.groupNorm('conv_norm_out', x, config.normGroups, NORM_EPSILON))
  return m.conv2d('conv_out', normal, channels, SAME)
}

export interface VaeEncoderOptions extends ModelOptions {
  readonly batch: number
  /** Size of the image in pixels. */
  readonly height: number
  readonly width: number
}

export interface VaeDecoderOptions extends ModelOptions {
  readonly batch: number
  readonly latentHeight: number
  readonly latentWidth: number
}

/**
 * The encoder as a graph of its own. Input `pixels` [b, c, H, W] in [−1, 1]; outputs `mean` and `logvar` [b, c', h, w],
 * not scaled; all float32.
 */
export function buildVaeEncoder(config: VaeConfig, weights: WeightSource, options: VaeEncoderOptions): Model<'pixels', 'mean' | 'logvar'> {
  const graph = new Graph()
  const pixels = graph.input('pixels', 'float32', [options.batch, config.inChannels, options.height, options.width])
  const m = Module.root(graph.scope, weights, options)
  const moments = vaeEncoder(m, config, pixels)
  const mean = ops.cast(graph.scope, moments.mean, 'float32')
  const logvar = ops.cast(graph.scope, moments.logVariance, 'float32')
  graph.output('mean', mean)
  graph.output('logvar', logvar)
  return { graph, inputs: { pixels }, outputs: { mean, logvar }, adapterTargets: m.adapterTargets, parameters: m.parameters }
}

/**
 * The decoder as a graph of its own. Input `latents` [b, c, h, w], not scaled; output `pixels` [b, c', H, W]; all float32.
 */
export function buildVaeDecoder(config: VaeConfig, weights: WeightSource, options: VaeDecoderOptions): Model<'latents', 'pixels'> {
  const graph = new Graph()
  const latents = graph.input('latents', 'float32', [options.batch, config.latentChannels, options.latentHeight, options.latentWidth])
  const m = Module.root(graph.scope, weights, options)
  const pixels = ops.cast(graph.scope, vaeDecoder(m, config, latents), 'float32')
  graph.output('pixels', pixels)
  return { graph, inputs: { latents }, outputs: { pixels }, adapterTargets: m.adapterTargets, parameters: m.parameters }
}
