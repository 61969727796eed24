import { z } from 'zod'
import { expand, off, only, parseConfig, perBlock, size, unsupported } from './config-file.ts'

/** One resolution of the UNet, down or up. */
export interface UnetBlockConfig {
  /** Whether a transformer follows every residual layer. */
  readonly kind: 'plain' | 'cross-attention'
  /** Channels the block puts out. */
  readonly channels: number
  /** Residual layers; up blocks have one more than the down block they mirror. */
  readonly layers: number
  /** Attention heads (of channels / heads dimensions each). */
  readonly heads: number
  /** Transformer blocks after each residual layer. */
  readonly transformerLayers: number
  /** Width of the text condition. */
  readonly crossAttentionDim: number
  /** The first attention of each transformer block attends to the text as well, instead of to itself. */
  readonly onlyCrossAttention: boolean
  /** Ends with a down- or upsampler: all but the last. */
  readonly resamples: boolean
}

/** The middle: resnet, transformer, resnet; or one resnet; or nothing. */
export interface UnetMidBlockConfig {
  readonly kind: 'cross-attention' | 'plain' | 'none'
  readonly channels: number
  readonly heads: number
  readonly transformerLayers: number
  readonly crossAttentionDim: number
  /** What its resnets divide their sums by. */
  readonly scaleFactor: number
}

/** UNet2DConditionModel, normalised: everything that decides the graph, in the order the blocks are run. */
export interface UnetConfig {
  readonly inChannels: number
  readonly outChannels: number
  /** Latent height and width the model was trained at, where the config says so. */
  readonly sampleSize?: readonly [height: number, width: number]
  readonly downBlocks: readonly UnetBlockConfig[]
  readonly midBlock: UnetMidBlockConfig
  readonly upBlocks: readonly UnetBlockConfig[]
  readonly normGroups: number
  /** ε of the residual layers' and the last group norm (the transformers' group norm always has 1e-6). */
  readonly normEps: number
  /** proj_in and proj_out of transformers are linear layers instead of 1×1 convolutions: same bytes, same result. */
  readonly useLinearProjection: boolean
  /** Attention scores need float32 even where the rest is half precision. */
  readonly upcastAttention: boolean
  readonly downsamplePadding: number
  readonly convInKernel: number
  readonly convOutKernel: number
  /** Width of the sinusoidal timestep embedding (the first block's channels). */
  readonly timeInputDim: number
  /** Width of the time embedding after its two linear layers. */
  readonly timeEmbedDim: number
  /** [cos, sin] instead of [sin, cos]. */
  readonly flipSinToCos: boolean
  readonly freqShift: number
  /** SDXL's size and pooled-text condition: `add_embedding` of `inputDim` numbers, sinusoids of `timeEmbedDim` per size. */
  readonly addition?: { readonly timeEmbedDim: number; readonly inputDim: number }
}

const downBlockType = z.enum(['CrossAttnDownBlock2D', 'DownBlock2D'])
const upBlockType = z.enum(['CrossAttnUpBlock2D', 'UpBlock2D'])

/** Keys and defaults of diffusers' UNet2DConditionModel. */
const schema = z.object({
  _class_name: only('UNet2DConditionModel'),
  sample_size: z.union([size, z.tuple([size, size])]).nullish(),
  in_channels: size.default(4),
  out_channels: size.default(4),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  down_block_types: z
    .array(downBlockType)
    .min(1)
    .max(16)
    .default(['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']),
  mid_block_type: z.enum(['UNetMidBlock2DCrossAttn', 'UNetMidBlock2D']).nullable().default('UNetMidBlock2DCrossAttn'),
  up_block_types: z
    .array(upBlockType)
    .min(1)
    .max(16)
    .default(['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']),
  only_cross_attention: perBlock(z.boolean()).default(false),
  block_out_channels: z.array(size).min(1).max(16).default([320, 640, 1280, 1280]),
  layers_per_block: perBlock(size).default(2),
  downsample_padding: z.int().min(0).max(8).default(1),
  mid_block_scale_factor: z.number().positive().default(1),
  act_fn: only('silu', 'swish'),
  norm_num_groups: size.default(32),
  norm_eps: z.number().positive().default(1e-5),
  cross_attention_dim: perBlock(size).default(1280),
  transformer_layers_per_block: perBlock(size).default(1),
  reverse_transformer_layers_per_block: z.union([z.array(size).max(16), z.null()]).optional(),
  attention_head_dim: perBlock(size).default(8),
  num_attention_heads: perBlock(size).nullish(),
  use_linear_projection: z.boolean().default(false),
  upcast_attention: z.boolean().nullable().default(false),
  addition_embed_type: only(null, 'text_time'),
  addition_time_embed_dim: size.nullish(),
  projection_class_embeddings_input_dim: size.nullish(),
  time_embedding_dim: size.nullish(),
  conv_in_kernel: size.max(15).default(3),
  conv_out_kernel: size.max(15).default(3),
  // What follows changes the mathematics and is not built: refused unless it is switched off.
  center_input_sample: off,
  encoder_hid_dim: off,
  encoder_hid_dim_type: off,
  dual_cross_attention: off,
  class_embed_type: off,
  num_class_embeds: off,
  class_embeddings_concat: off,
  resnet_time_scale_shift: only('default'),
  resnet_skip_time_act: off,
  resnet_out_scale_factor: only(1),
  time_embedding_type: only('positional'),
  time_embedding_act_fn: off,
  timestep_post_act: off,
  time_cond_proj_dim: off,
  attention_type: only('default'),
  mid_block_only_cross_attention: off,
  cross_attention_norm: off,
})

type RawUnetConfig = z.infer<typeof schema>

/**
 * Checks and normalises a UNet's config.json. Keys that are missing take diffusers' defaults.
 * Throws `config.malformed` or `config.unsupported`, naming `file`, the key and its value.
 */
export function parseUnetConfig(raw: unknown, file: string): UnetConfig {
  const config = parseConfig(schema, raw, file)
  const blocks = config.block_out_channels.length
  const list = <K extends keyof RawUnetConfig, T>(key: K, value: T | T[]): T[] => {
    const values = expand(value, blocks)
    if (values === undefined) throw unsupported(file, key, value)
    return values
  }

  const downTypes = list('down_block_types', config.down_block_types)
  const upTypes = list('up_block_types', config.up_block_types)
  const layers = list('layers_per_block', config.layers_per_block)
  // diffusers' attention_head_dim is the number of heads: a misnomer kept for old configs (huggingface/diffusers#2011).
  const heads = list('attention_head_dim', config.num_attention_heads ?? config.attention_head_dim)
  const crossAttentionDims = list('cross_attention_dim', config.cross_attention_dim)
  const onlyCross = list('only_cross_attention', config.only_cross_attention)
  const transformerLayers = list('transformer_layers_per_block', config.transformer_layers_per_block)
  const upTransformerLayers =
    config.reverse_transformer_layers_per_block == null
      ? transformerLayers.toReversed()
      : list('reverse_transformer_layers_per_block', config.reverse_transformer_layers_per_block)

  const block = (mirrored: number, type: string, position: number, extraLayers: number, depths: readonly number[]): UnetBlockConfig => ({
    kind: type.startsWith('CrossAttn') ? 'cross-attention' : 'plain',
    channels: at(config.block_out_channels, mirrored),
    layers: at(layers, mirrored) + extraLayers,
    heads: at(heads, mirrored),
    transformerLayers: at(depths, position),
    crossAttentionDim: at(crossAttentionDims, mirrored),
    onlyCrossAttention: at(onlyCross, mirrored),
    resamples: position < blocks - 1,
  })
  const downBlocks = downTypes.map((type, i) => block(i, type, i, 0, transformerLayers))
  const upBlocks = upTypes.map((type, i) => block(blocks - 1 - i, type, i, 1, upTransformerLayers))
  const last = at(downBlocks, blocks - 1)
  const midBlock: UnetMidBlockConfig = {
    kind: config.mid_block_type === null ? 'none' : config.mid_block_type === 'UNetMidBlock2D' ? 'plain' : 'cross-attention',
    channels: last.channels,
    heads: last.heads,
    transformerLayers: last.transformerLayers,
    crossAttentionDim: last.crossAttentionDim,
    scaleFactor: config.mid_block_scale_factor,
  }

  for (const { kind, channels, heads } of [...downBlocks, midBlock]) {
    if (channels % config.norm_num_groups !== 0) throw unsupported(file, 'norm_num_groups', config.norm_num_groups)
    if (kind === 'cross-attention' && channels % heads !== 0) throw unsupported(file, 'attention_head_dim', config.attention_head_dim)
  }
  for (const key of ['conv_in_kernel', 'conv_out_kernel'] as const) {
    if (config[key] % 2 === 0) throw unsupported(file, key, config[key])
  }

  const firstChannels = at(config.block_out_channels, 0)
  const addition = additionOf(config, file)
  return {
    inChannels: config.in_channels,
    outChannels: config.out_channels,
    ...(config.sample_size == null ? {} : { sampleSize: asPair(config.sample_size) }),
    downBlocks,
    midBlock,
    upBlocks,
    normGroups: config.norm_num_groups,
    normEps: config.norm_eps,
    useLinearProjection: config.use_linear_projection,
    upcastAttention: config.upcast_attention ?? false,
    downsamplePadding: config.downsample_padding,
    convInKernel: config.conv_in_kernel,
    convOutKernel: config.conv_out_kernel,
    timeInputDim: firstChannels,
    timeEmbedDim: config.time_embedding_dim ?? 4 * firstChannels,
    flipSinToCos: config.flip_sin_to_cos,
    freqShift: config.freq_shift,
    ...(addition === undefined ? {} : { addition }),
  }
}

function additionOf(config: RawUnetConfig, file: string): UnetConfig['addition'] {
  if (config.addition_embed_type === null) return undefined
  const { addition_time_embed_dim: timeEmbedDim, projection_class_embeddings_input_dim: inputDim } = config
  if (timeEmbedDim == null) throw unsupported(file, 'addition_time_embed_dim', timeEmbedDim)
  if (inputDim == null) throw unsupported(file, 'projection_class_embeddings_input_dim', inputDim)
  return { timeEmbedDim, inputDim }
}

function asPair(sampleSize: number | [number, number]): readonly [number, number] {
  return typeof sampleSize === 'number' ? [sampleSize, sampleSize] : sampleSize
}

/** An element that is known to exist. */
function at<T>(values: readonly T[], index: number): T {
  const value = values[index]
  if (value === undefined) throw new RangeError(`no element ${index} among ${values.length}`)
  return value
}
