import { Graph, shapeError, type Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import type { ClipVisionConfig } from './checkpoint/clip-vision-config.ts'
import { clipEncoder } from './clip-encoder.ts'
import { Module, type Model, type ModelOptions } from './module.ts'
import { channelsLast } from './transformer-2d.ts'
import type { WeightSource } from './weights/weight-source.ts'

/** What a vision tower gives, in the compute type. */
export interface ClipVisionOutputs {
  /** After the last layer, not normalised [b, 1 + patches, c]; the class token comes first. */
  readonly lastHiddenState: Value
  /** The class token after the last layer norm [b, c]. */
  readonly pooled: Value
  /** The pooled state after `visual_projection` [b, projectionDim], where the tower has one. */
  readonly imageEmbeds?: Value
}

/** CLIP's vision transformer for pixels [b, channels, s, s] with mean and deviation already taken out, s = imageSize. */
export function clipVision(root: Module, config: ClipVisionConfig, pixels: Value): ClipVisionOutputs {
  const m = root.at('vision_model')
  const embedded = m.inSegment('embed')
  // "layrnorm" is how the checkpoints spell it.
  const x = embedded.layerNorm('pre_layrnorm', embeddings(embedded.at('embeddings'), config, pixels), config.layerNormEps)
  const lastHiddenState = clipEncoder(m.at('encoder'), x, config).at(-1) ?? x
  const final = root.inSegment('vision_final')
  const classToken = ops.slice(final.scope, lastHiddenState, [1], [0], [1])
  const flat = ops.reshape(final.scope, classToken, [-1, config.hiddenSize])
  const pooled = final.at('vision_model').layerNorm('post_layernorm', flat, config.layerNormEps)
  if (!config.withProjection) return { lastHiddenState, pooled }
  return { lastHiddenState, pooled, imageEmbeds: final.linear('visual_projection', pooled, config.projectionDim, { bias: false }) }
}

/** A class token and one token per patch, with their positions added: [b, 1 + patches, c]. */
function embeddings(m: Module, config: ClipVisionConfig, pixels: Value): Value {
  const g = m.scope
  const { hiddenSize, patchSize, imageSize } = config
  const [batch = 1, , height, width] = pixels.shape
  if (height !== imageSize || width !== imageSize) {
    throw shapeError(g, 'CLIP vision tower', [pixels], `its images are ${imageSize}×${imageSize}`)
  }
  const patches = m.conv2d('patch_embedding', m.cast(pixels), hiddenSize, { kernel: patchSize, stride: patchSize, bias: false })
  const classToken = ops.reshape(g, m.weight('class_embedding', [hiddenSize]), [1, 1, hiddenSize])
  const tokens = ops.concat(g, [ops.expand(g, classToken, [batch, 1, hiddenSize]), channelsLast(g, patches)], 1)
  return ops.add(g, tokens, m.at('position_embedding').weight('weight', [tokens.shape[1] ?? 1, hiddenSize]))
}

export interface ClipVisionOptions extends ModelOptions {
  readonly batch: number
}

/** A vision tower as a graph of its own; only those with a projection have the last output. */
export type ClipVisionModel = Model<'pixels', 'last_hidden_state' | 'pooled', never, 'image_embeds'>

/**
 * The vision tower as a graph of its own. Input `pixels` [b, 3, s, s], float32; outputs, float32: `last_hidden_state`
 * [b, 1 + patches, c], `pooled` [b, c], and with a projection `image_embeds` [b, projectionDim].
 */
export function buildClipVision(config: ClipVisionConfig, weights: WeightSource, options: ClipVisionOptions): ClipVisionModel {
  const graph = new Graph()
  const pixels = graph.input('pixels', 'float32', [options.batch, config.channels, config.imageSize, config.imageSize])
  const m = Module.root(graph.scope, weights, options)
  const states = clipVision(m, config, pixels)
  const output = (name: string, value: Value): Value => {
    const cast = ops.cast(graph.scope, value, 'float32')
    graph.output(name, cast)
    return cast
  }
  const outputs = {
    last_hidden_state: output('last_hidden_state', states.lastHiddenState),
    pooled: output('pooled', states.pooled),
    ...(states.imageEmbeds === undefined ? {} : { image_embeds: output('image_embeds', states.imageEmbeds) }),
  }
  return { graph, inputs: { pixels }, outputs, adapterTargets: m.adapterTargets, parameters: m.parameters }
}
