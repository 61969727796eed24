import { z } from 'zod'
import { activation, towerConfig } from './clip-text-config.ts'
import { only, parseConfig, size, unsupported } from './config-file.ts'

/** A CLIP vision transformer, normalised. */
export interface ClipVisionConfig {
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layers: number
  readonly heads: number
  /** Channels of the image. */
  readonly channels: number
  /** Height and width of the (square) image in pixels. */
  readonly imageSize: number
  /** Height and width of a (square) patch in pixels. */
  readonly patchSize: number
  readonly hiddenAct: 'quick_gelu' | 'gelu'
  readonly layerNormEps: number
  /** Width of the embedding after the projection. */
  readonly projectionDim: number
  /** The pooled output goes through `visual_projection`. */
  readonly withProjection: boolean
}

/** Keys and defaults of transformers' CLIPVisionConfig. */
const schema = z.object({
  model_type: only('clip_vision_model', 'clip'),
  architectures: z.array(z.string()).nullish(),
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  projection_dim: size.default(512),
  num_hidden_layers: size.max(1000).default(12),
  num_attention_heads: size.default(12),
  num_channels: size.default(3),
  image_size: size.default(224),
  patch_size: size.default(32),
  hidden_act: activation,
  layer_norm_eps: z.number().positive().default(1e-5),
})

/**
 * Checks and normalises the config.json of a CLIP vision tower, or of a whole CLIP model with a `vision_config` in it.
 * `hasProjection` says whether the weights hold a projection, for configs that do not name their architecture.
 * Throws `config.malformed` or `config.unsupported`, naming `file`, the key and its value.
 */
export function parseClipVisionConfig(raw: unknown, file: string, hasProjection = false): ClipVisionConfig {
  const config = parseConfig(schema, towerConfig(raw, 'vision_config'), file)
  if (config.hidden_size % config.num_attention_heads !== 0) throw unsupported(file, 'num_attention_heads', config.num_attention_heads)
  if (config.image_size < config.patch_size) throw unsupported(file, 'patch_size', config.patch_size)
  const architecture = config.architectures?.[0]
  return {
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    channels: config.num_channels,
    imageSize: config.image_size,
    patchSize: config.patch_size,
    hiddenAct: config.hidden_act,
    layerNormEps: config.layer_norm_eps,
    projectionDim: config.projection_dim,
    withProjection: architecture === undefined ? hasProjection : architecture !== 'CLIPVisionModel',
  }
}
