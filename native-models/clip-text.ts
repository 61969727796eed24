import { Graph, shapeError, type Scope, type Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import type { ClipTextConfig } from './checkpoint/clip-text-config.ts'
import { clipEncoder } from './clip-encoder.ts'
import { Module, type Model, type ModelOptions } from './module.ts'
import type { WeightSource } from './weights/weight-source.ts'

/** Old configs say 2 where they mean "the token with the largest id", which is CLIP's real end-of-text. */
const LEGACY_EOS = 2

/** Low enough that its softmax is exactly zero, and in range in float16. */
const MASKED = -1e4

/** What a text encoder gives, in the compute type. */
export interface ClipTextOutputs {
  /** After the final layer norm [b, n, c]: the condition of SD 1.x. */
  readonly lastHiddenState: Value
  /** Before the last layer, not normalised [b, n, c]: the condition of SDXL. */
  readonly penultimate: Value
  /** The last hidden state at the end-of-text token [b, c]. */
  readonly pooled: Value
  /** The pooled state after `text_projection` [b, projectionDim], where the encoder has one. */
  readonly textEmbeds?: Value
}

/** CLIP's text transformer for token ids [b, n], integers, n ≤ maxPositions. */
export function clipText(root: Module, config: ClipTextConfig, inputIds: Value): ClipTextOutputs {
  const m = root.at('text_model')
  const embedded = embeddings(m.at('embeddings'), config, inputIds)
  const states = clipEncoder(m.at('encoder'), embedded, config, causalMask(m, inputIds.shape[1] ?? 1))
  const [penultimate, last] = states.slice(-2)
  const final = root.inSegment('text_final')
  const lastHiddenState = final.at('text_model').layerNorm('final_layer_norm', last!, config.layerNormEps)
  const pooled = atEndOfText(final.scope, lastHiddenState, inputIds, config.eosTokenId)
  const outputs = { lastHiddenState, penultimate: penultimate!, pooled }
  if (!config.withProjection) return outputs
  return { ...outputs, textEmbeds: final.linear('text_projection', pooled, config.projectionDim, { bias: false }) }
}

function embeddings(m: Module, config: ClipTextConfig, inputIds: Value): Value {
  const length = inputIds.shape[1] ?? 1
  const { vocabSize, hiddenSize, maxPositions } = config
  if (length > maxPositions) throw shapeError(m.scope, 'CLIP text encoder', [inputIds], `it takes ${maxPositions} tokens at most`)
  const tokens = m.embedding('token_embedding', inputIds, vocabSize, hiddenSize)
  return ops.add(m.scope, tokens, m.at('position_embedding').weightRows('weight', [maxPositions, hiddenSize], 0, length))
}

/** [n, n]: a token sees itself and those before it. */
function causalMask(m: Module, length: number): Value {
  const mask = Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? MASKED : 0))
  return ops.constant(m.scope, m.compute, [length, length], mask)
}

/**
 * x [b, n, c] at the first end-of-text token of each row → [b, c]; at the first token where there is none, as transformers
 * has it. The position is a one-hot row in a matrix product: differentiable, and without integer operators that some
 * devices lack. Ids and scores are exact in float32, being far below 2²⁴.
 */
function atEndOfText(g: Scope, x: Value, inputIds: Value, eosTokenId: number): Value {
  const [batch = 1, length = 1, width = 1] = x.shape
  const ids = ops.cast(g, inputIds, 'float32')
  const eos = eosTokenId === LEGACY_EOS ? ops.reduce(g, 'ReduceMax', ids, [1], true) : ops.fill(g, 'float32', [], eosTokenId)
  const found = ops.scale(g, ops.cast(g, ops.compare(g, 'Equal', ids, eos), 'float32'), length)
  const earlier = ops.constant(g, 'float32', [1, length], Array.from({ length }, (_, i) => length - 1 - i))
  const score = ops.add(g, found, earlier)
  const oneHot = ops.cast(g, ops.compare(g, 'Equal', score, ops.reduce(g, 'ReduceMax', score, [1], true)), x.dtype)
  return ops.reshape(g, ops.matMul(g, ops.reshape(g, oneHot, [batch, 1, length]), x), [batch, width])
}

export interface ClipTextOptions extends ModelOptions {
  readonly batch: number
  /** Tokens; maxPositions by default. */
  readonly textLength?: number
}

/** A text encoder as a graph of its own; only those with a projection have the last output. */
export type ClipTextModel = Model<'input_ids', 'last_hidden_state' | 'penultimate' | 'pooled', never, 'text_embeds'>

/**
 * The text encoder as a graph of its own. Input `input_ids` [b, n], int64; outputs, all float32: `last_hidden_state` and
 * `penultimate` [b, n, c], `pooled` [b, c], and with a projection `text_embeds` [b, projectionDim].
 */
export function buildClipText(config: ClipTextConfig, weights: WeightSource, options: ClipTextOptions): ClipTextModel {
  const graph = new Graph()
  const inputIds = graph.input('input_ids', 'int64', [options.batch, options.textLength ?? config.maxPositions])
  const m = Module.root(graph.scope, weights, options)
  const states = clipText(m, config, inputIds)
  const output = (name: string, value: Value): Value => {
    const cast = ops.cast(graph.scope, value, 'float32')
    graph.output(name, cast)
    return cast
  }
  const outputs = {
    last_hidden_state: output('last_hidden_state', states.lastHiddenState),
    penultimate: output('penultimate', states.penultimate),
    pooled: output('pooled', states.pooled),
    ...(states.textEmbeds === undefined ? {} : { text_embeds: output('text_embeds', states.textEmbeds) }),
  }
  return { graph, inputs: { input_ids: inputIds }, outputs, adapterTargets: m.adapterTargets, parameters: m.parameters }
}
