import { weightSource, allEntries, type WeightEntry, type WeightSource } from '../weights/weight-source.ts'
import { standardGroups, type Found } from './found.ts'
import { dimensions } from './tensor-dimensions.ts'

/**
 * Maps an autoencoder of the original layout. `source` holds the weights below `first_stage_model.`.
 * Throws `weights.missing-tensor` and `weights.wrong-shape` for damaged ones.
 */
export function mapVae(source: WeightSource, scalingFactor: number): Found {
  const levels = countMatches(source, /^encoder\.down\.(\d+)\.block\.0\.conv1\.weight$/)
  const entries = allEntries(source).map((entry) => asLinear({ ...entry, name: diffusersName(entry.name, levels) }))
  const channels = Array.from({ length: levels }, (_, i) => dimensions(source, `encoder.down.${i}.block.0.conv1.weight`, 4)[0] ?? 0)
  const groups = standardGroups(channels)
  const [, inChannels] = dimensions(source, 'encoder.conv_in.weight', 4)
  const [outChannels] = dimensions(source, 'decoder.conv_out.weight', 4)
  const [, latentChannels] = dimensions(source, 'decoder.conv_in.weight', 4)
  return {
    weights: weightSource(source.description, entries),
    config: {
      in_channels: inChannels,
      out_channels: outChannels,
      latent_channels: latentChannels,
      block_out_channels: channels,
      down_block_types: channels.map(() => 'DownEncoderBlock2D'),
      up_block_types: channels.map(() => 'UpDecoderBlock2D'),
      layers_per_block: countMatches(source, /^encoder\.down\.0\.block\.(\d+)\.conv1\.weight$/),
      mid_block_add_attention: source.find('encoder.mid.attn_1.q.weight') !== undefined,
      use_quant_conv: source.find('quant_conv.weight') !== undefined,
      use_post_quant_conv: source.find('post_quant_conv.weight') !== undefined,
      norm_num_groups: groups,
      scaling_factor: scalingFactor,
    },
    assumptions: channels[0] === 128 ? [] : [`The file does not say how its VAE groups channels: ${groups} norm groups are assumed.`],
  }
}

function countMatches(source: WeightSource, pattern: RegExp): number {
  return source.names().filter((name) => pattern.test(name)).length
}

/** The decoder's levels count from the image inwards here, in the order they are run in diffusers. */
function diffusersName(name: string, levels: number): string {
  return name
    .replace(/^encoder\.down\.(\d+)\.block\.(\d+)\./, 'encoder.down_blocks.$1.resnets.$2.')
    .replace(/^encoder\.down\.(\d+)\.downsample\./, 'encoder.down_blocks.$1.downsamplers.0.')
    .replace(/^decoder\.up\.(\d+)\.block\.(\d+)\./, (_, level: string, layer: string) => `${upBlock(level, levels)}.resnets.${layer}.`)
    .replace(/^decoder\.up\.(\d+)\.upsample\./, (_, level: string) => `${upBlock(level, levels)}.upsamplers.0.`)
    .replace(/\.mid\.block_(\d+)\./, (_, position: string) => `.mid_block.resnets.${Number(position) - 1}.`)
    .replace(/\.mid\.attn_1\.(\w+)\./, (_, part: string) => `.mid_block.attentions.0.${ATTENTION[part] ?? part}.`)
    .replace('.nin_shortcut.', '.conv_shortcut.')
    .replace('.norm_out.', '.conv_norm_out.')
}

function upBlock(level: string, levels: number): string {
  return `decoder.up_blocks.${levels - 1 - Number(level)}`
}

const ATTENTION: Readonly<Record<string, string>> = { norm: 'group_norm', q: 'to_q', k: 'to_k', v: 'to_v', proj_out: 'to_out.0' }

/** The attention's 1×1 convolutions [c, c, 1, 1] are linear layers [c, c] in diffusers: the same bytes. */
function asLinear(entry: WeightEntry): WeightEntry {
  const isProjection = /\.attentions\.0\.to_.*\.weight$/.test(entry.name)
  return isProjection && entry.shape.slice(2).every((size) => size === 1) ? { ...entry, shape: entry.shape.slice(0, 2) } : entry
}
