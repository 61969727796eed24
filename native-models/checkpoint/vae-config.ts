import { z } from 'zod'
import { only, parseConfig, size, unsupported } from './config-file.ts'

/** AutoencoderKL, normalised. */
export interface VaeConfig {
  /** Channels of the image that goes in. */
  readonly inChannels: number
  /** Channels of the image that comes out. */
  readonly outChannels: number
  readonly latentChannels: number
  /** Channels per resolution, from the image inwards; the decoder runs through them backwards. */
  readonly blockOutChannels: readonly number[]
  /** Residual layers per encoder block; decoder blocks have one more. */
  readonly layersPerBlock: number
  readonly normGroups: number
  readonly midBlockAttention: boolean
  readonly useQuantConv: boolean
  readonly usePostQuantConv: boolean
  /** The diffusion model sees latents times this. */
  readonly scalingFactor: number
  /** The diffusion model sees (latents − shift) · scale, where a shift is given. */
  readonly shiftFactor?: number
  /** Per-channel statistics: the diffusion model sees (latents − mean) · scale / std, where they are given. */
  readonly latentsMean?: readonly number[]
  readonly latentsStd?: readonly number[]
  /** Overflows in float16: run it in float32 or bfloat16. */
  readonly forceUpcast: boolean
}

/** Keys and defaults of diffusers' AutoencoderKL. */
const schema = z.object({
  _class_name: only('AutoencoderKL'),
  in_channels: size.default(3),
  out_channels: size.default(3),
  down_block_types: z.array(z.literal('DownEncoderBlock2D')).min(1).max(16).default(['DownEncoderBlock2D']),
  up_block_types: z.array(z.literal('UpDecoderBlock2D')).min(1).max(16).default(['UpDecoderBlock2D']),
  block_out_channels: z.array(size).min(1).max(16).default([64]),
  layers_per_block: size.max(1000).default(1),
  act_fn: only('silu', 'swish'),
  latent_channels: size.default(4),
  norm_num_groups: size.default(32),
  scaling_factor: z.number().positive().default(0.18215),
  shift_factor: z.number().nullish(),
  latents_mean: z.array(z.number()).nullish(),
  latents_std: z.array(z.number().positive()).nullish(),
  force_upcast: z.boolean().default(true),
  use_quant_conv: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
  mid_block_add_attention: z.boolean().default(true),
})

/**
 * Checks and normalises an autoencoder's config.json. Keys that are missing take diffusers' defaults.
 * Throws `config.malformed` or `config.unsupported`, naming `file`, the key and its value.
 */
export function parseVaeConfig(raw: unknown, file: string): VaeConfig {
  const config = parseConfig(schema, raw, file)
  const { block_out_channels: channels, norm_num_groups: groups, latent_channels: latentChannels } = config
  for (const key of ['down_block_types', 'up_block_types'] as const) {
    if (config[key].length !== channels.length) throw unsupported(file, key, config[key])
  }
  for (const key of ['latents_mean', 'latents_std'] as const) {
    if (config[key] != null && config[key].length !== latentChannels) throw unsupported(file, key, config[key])
  }
  if (channels.some((count) => count % groups !== 0)) throw unsupported(file, 'norm_num_groups', groups)
  return {
    inChannels: config.in_channels,
    outChannels: config.out_channels,
    latentChannels,
    blockOutChannels: channels,
    layersPerBlock: config.layers_per_block,
    normGroups: groups,
    midBlockAttention: config.mid_block_add_attention,
    useQuantConv: config.use_quant_conv,
    usePostQuantConv: config.use_post_quant_conv,
    scalingFactor: config.scaling_factor,
    ...(config.shift_factor == null ? {} : { shiftFactor: config.shift_factor }),
    ...(config.latents_mean == null ? {} : { latentsMean: config.latents_mean }),
    ...(config.latents_std == null ? {} : { latentsStd: config.latents_std }),
    forceUpcast: config.force_upcast,
  }
}
