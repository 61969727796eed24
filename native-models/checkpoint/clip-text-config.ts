import { z } from 'zod'
import { only, parseConfig, size, unsupported } from './config-file.ts'

/** A CLIP text transformer, normalised. */
export interface ClipTextConfig {
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layers: number
  readonly heads: number
  readonly maxPositions: number
  /** x·σ(1.702 x), or the exact Gaussian error unit. */
  readonly hiddenAct: 'quick_gelu' | 'gelu'
  readonly layerNormEps: number
  /** Width of the pooled output after the projection. */
  readonly projectionDim: number
  /** The pooled output goes through `text_projection` (CLIPTextModelWithProjection). */
  readonly withProjection: boolean
  /**
   * The pooled output is the hidden state at the first token with this id. The legacy value 2 stands for "at the
   * token with the largest id", as transformers keeps it for old configs.
   */
  readonly eosTokenId: number
}

export const activation = z.enum(['quick_gelu', 'gelu']).default('quick_gelu')

/** Keys and defaults of transformers' CLIPTextConfig. */
const schema = z.object({
  model_type: only('clip_text_model', 'clip'),
  architectures: z.array(z.string()).nullish(),
  vocab_size: size.default(49408),
  hidden_size: size.default(512),
  intermediate_size: size.default(2048),
  projection_dim: size.nullable().default(512),
  num_hidden_layers: size.max(1000).default(12),
  num_attention_heads: size.default(8),
  max_position_embeddings: size.default(77),
  hidden_act: activation,
  layer_norm_eps: z.number().positive().nullable().default(1e-5),
  eos_token_id: z.int().min(0).nullable().default(49407),
})

/**
 * Checks and normalises the config.json of a CLIP text encoder, or of a whole CLIP model with a `text_config` in it.
 * `hasProjection` says whether the weights hold a projection, for configs that do not name their architecture.
 * Throws `config.malformed` or `config.unsupported`, naming `file`, the key and its value.
 */
export function parseClipTextConfig(raw: unknown, file: string, hasProjection = false): ClipTextConfig {
  const config = parseConfig(schema, towerConfig(raw, 'text_config'), file)
  if (config.hidden_size % config.num_attention_heads !== 0) throw unsupported(file, 'num_attention_heads', config.num_attention_heads)
  const architecture = config.architectures?.[0]
  return {
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    maxPositions: config.max_position_embeddings,
    hiddenAct: config.hidden_act,
    layerNormEps: config.layer_norm_eps ?? 1e-5,
    projectionDim: config.projection_dim ?? config.hidden_size,
    withProjection: architecture === undefined ? hasProjection : architecture !== 'CLIPTextModel',
    eosTokenId: config.eos_token_id ?? 49407,
  }
}

/**
 * The part of a CLIP config that describes one tower. A config of the whole model nests both, and its own
 * projection_dim counts; the old `…_config_dict`, where present, takes precedence over `…_config`, as in transformers.
 */
export function towerConfig(raw: unknown, key: 'text_config' | 'vision_config'): unknown {
  if (!isRecord(raw)) return raw
  const nested = isRecord(raw[`${key}_dict`]) ? raw[`${key}_dict`] : raw[key]
  if (!isRecord(nested)) return raw
  const { architectures, projection_dim } = raw
  return { ...nested, architectures, ...(projection_dim === undefined ? {} : { projection_dim }) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
