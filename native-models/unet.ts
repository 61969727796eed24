import { HalfstepError } from '../main/engine/errors.ts'
import { Graph, shapeError, type Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import type { UnetConfig } from './checkpoint/unet-config.ts'
import { Module, type Model, type ModelOptions } from './module.ts'
import { embeddingMlp, sinusoids, type SinusoidOptions } from './time-embedding.ts'
import { downBlock, midBlock, upBlock, type UnetContext } from './unet-blocks.ts'
import type { WeightSource } from './weights/weight-source.ts'

/** SDXL's further conditions, float32: pooled text [b, d] and sizes [b, k] (original, crop, target; six of them in SDXL base). */
export interface AddedConditions {
  readonly textEmbeds: Value
  readonly timeIds: Value
}

export interface UnetInputs {
  /** Latents [b, inChannels, h, w]. */
  readonly sample: Value
  /** [b], float32. */
  readonly timestep: Value
  /** Text condition [b, n, d]. */
  readonly context: Value
  /** Needed exactly when the config says so. */
  readonly added?: AddedConditions
}

/**
 * UNet2DConditionModel: what a diffusion model predicts (ε or v) for noisy latents → [b, outChannels, h, w] in the compute
 * type. Sample and context may be of any float type.
 */
export function unet(m: Module, config: UnetConfig, inputs: UnetInputs): Value {
  const sample = m.cast(inputs.sample)
  const context: UnetContext = { config, text: m.cast(inputs.context), time: timeEmbedding(m.inSegment('time'), config, inputs) }
  let h = m.conv2d('conv_in', sample, config.downBlocks[0]?.channels ?? config.timeInputDim, around(config.convInKernel))
  const skips = [h]
  config.downBlocks.forEach((block, i) => {
    skips.push(...downBlock(m.at(`down_blocks.${i}`), h, block, context))
    h = skips.at(-1) ?? h
  })
  h = midBlock(m.at('mid_block'), h, config.midBlock, context)
  config.upBlocks.forEach((block, i) => {
    h = upBlock(m.at(`up_blocks.${i}`), h, skips, block, context)
  })
  const last = m.inSegment('out')
  const normal = ops.silu(last.scope, last.groupNorm('conv_norm_out', h, config.normGroups, config.normEps))
  return last.conv2d('conv_out', normal, config.outChannels, around(config.convOutKernel))
}

/** Time embedding [b, timeEmbedDim], with SDXL's conditions added, after the activation that every residual block begins with. */
function timeEmbedding(m: Module, config: UnetConfig, { timestep, added }: UnetInputs): Value {
  const g = m.scope
  const waves = sinusoids(g, timestep, sinusoidOptions(config, config.timeInputDim))
  const time = embeddingMlp(m.at('time_embedding'), m.cast(waves), config.timeEmbedDim)
  if (config.addition === undefined) return ops.silu(g, time)
  if (added === undefined) throw shapeError(g, 'UNet', [timestep], 'this UNet also needs text_embeds and time_ids')
  const { textEmbeds, timeIds } = added
  const batch = timeIds.shape[0] ?? 1
  const sizes = ops.reshape(g, sinusoids(g, timeIds, sinusoidOptions(config, config.addition.timeEmbedDim)), [batch, -1])
  const condition = ops.concat(g, [m.cast(textEmbeds), m.cast(sizes)], 1)
  if (condition.shape[1] !== config.addition.inputDim) {
    throw shapeError(g, 'UNet', [textEmbeds, timeIds], `text_embeds and time_ids must come to ${config.addition.inputDim} numbers`)
  }
  return ops.silu(g, ops.add(g, time, embeddingMlp(m.at('add_embedding'), condition, config.timeEmbedDim)))
}

function sinusoidOptions({ flipSinToCos, freqShift }: UnetConfig, width: number): SinusoidOptions {
  return { width, flipSinToCos, freqShift }
}

/** A convolution that keeps height and width. */
function around(kernel: number): { readonly kernel: number; readonly padding: number } {
  return { kernel, padding: (kernel - 1) / 2 }
}

export interface UnetOptions extends ModelOptions {
  readonly batch: number
  readonly latentHeight: number
  readonly latentWidth: number
  /** Tokens of the text condition. */
  readonly textLength: number
  /** Sizes in `time_ids`, where the UNet takes any: six by default (SDXL base), five for the refiner. */
  readonly timeIds?: number
}

/** A UNet as a graph of its own; only SDXL's have the last two inputs. */
export type UnetModel = Model<'sample' | 'timestep' | 'encoder_hidden_states', 'output', 'text_embeds' | 'time_ids'>

/**
 * The UNet as a graph of its own. Inputs, all float32: `sample` [b, c, h, w], `timestep` [b], `encoder_hidden_states` [b, n, d],
 * and for SDXL `text_embeds` [b, d'] and `time_ids` [b, k]; output `output` [b, c', h, w], float32.
 */
export function buildUnet(config: UnetConfig, weights: WeightSource, options: UnetOptions): UnetModel {
  const { batch, latentHeight, latentWidth, textLength, timeIds = 6 } = options
  const graph = new Graph()
  const sample = graph.input('sample', 'float32', [batch, config.inChannels, latentHeight, latentWidth])
  const timestep = graph.input('timestep', 'float32', [batch])
  const context = graph.input('encoder_hidden_states', 'float32', [batch, textLength, config.midBlock.crossAttentionDim])
  const added = config.addition === undefined ? undefined : declareAdded(graph, config.addition, batch, timeIds)
  const m = Module.root(graph.scope, weights, options)
  const prediction = unet(m, config, { sample, timestep, context, ...(added === undefined ? {} : { added }) })
  const output = ops.cast(graph.scope, prediction, 'float32')
  graph.output('output', output)
  return {
    graph,
    inputs: {
      sample,
      timestep,
      encoder_hidden_states: context,
      ...(added === undefined ? {} : { text_embeds: added.textEmbeds, time_ids: added.timeIds }),
    },
    outputs: { output },
    adapterTargets: m.adapterTargets,
    parameters: m.parameters,
  }
}

function declareAdded(graph: Graph, addition: NonNullable<UnetConfig['addition']>, batch: number, timeIds: number): AddedConditions {
  const width = addition.inputDim - timeIds * addition.timeEmbedDim
  if (width < 1) {
    const sizes = timeIds * addition.timeEmbedDim
    const message = `add_embedding takes ${addition.inputDim} numbers, but ${timeIds} sizes alone come to ${sizes}.`
    throw new HalfstepError('config.unsupported', message, 'Use the config.json that belongs to this UNet.')
  }
  return {
    textEmbeds: graph.input('text_embeds', 'float32', [batch, width]),
    timeIds: graph.input('time_ids', 'float32', [batch, timeIds]),
  }
}
