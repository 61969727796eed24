import type { Shape } from '../../../main/engine/tensor/shape.ts'

/**
 * From diffusers' names back to the original layout, written down from the original code's numbering: independent of
 * the mapping under test.
 */

export interface UnetNumbering {
  /** Residual layers per down block. */
  readonly layersPerBlock: number
  /** Which up blocks have transformers. */
  readonly upAttention: readonly boolean[]
}

const RESNET: Readonly<Record<string, string>> = {
  norm1: 'in_layers.0',
  conv1: 'in_layers.2',
  time_emb_proj: 'emb_layers.1',
  norm2: 'out_layers.0',
  conv2: 'out_layers.3',
  conv_shortcut: 'skip_connection',
}

const OUTER: Readonly<Record<string, string>> = {
  'time_embedding.linear_1': 'time_embed.0',
  'time_embedding.linear_2': 'time_embed.2',
  'add_embedding.linear_1': 'label_emb.0.0',
  'add_embedding.linear_2': 'label_emb.0.2',
  'conv_in': 'input_blocks.0.0',
  'conv_norm_out': 'out.0',
  'conv_out': 'out.2',
}

export function originalUnetName(name: string, { layersPerBlock, upAttention }: UnetNumbering): string {
  const outer = /^(.+)\.(weight|bias)$/.exec(name)
  if (outer && OUTER[outer[1]!] !== undefined) return `${OUTER[outer[1]!]}.${outer[2]}`
  const mid = /^mid_block\.(resnets|attentions)\.(\d)\.(.+)$/.exec(name)
  if (mid) return `middle_block.${mid[1] === 'resnets' ? 2 * Number(mid[2]) : 1}.${inner(mid[1]!, mid[3]!)}`
  const [, direction, block, part, layer, rest] = /^(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.+)$/.exec(name)!
  if (direction === 'down') {
    const first = 1 + Number(block) * (layersPerBlock + 1)
    if (part === 'downsamplers') return `input_blocks.${first + layersPerBlock}.0.${rest!.replace('conv', 'op')}`
    return `input_blocks.${first + Number(layer)}.${part === 'resnets' ? 0 : 1}.${inner(part!, rest!)}`
  }
  const first = Number(block) * (layersPerBlock + 1)
  if (part === 'upsamplers') return `output_blocks.${first + layersPerBlock}.${upAttention[Number(block)] ? 2 : 1}.${rest}`
  return `output_blocks.${first + Number(layer)}.${part === 'resnets' ? 0 : 1}.${inner(part!, rest!)}`
}

function inner(part: string, rest: string): string {
  if (part !== 'resnets') return rest
  const [, module, kind] = /^(\w+)\.(\w+)$/.exec(rest)!
  return `${RESNET[module!]}.${kind}`
}

const VAE_ATTENTION: Readonly<Record<string, string>> = {
  'group_norm': 'norm',
  'to_q': 'q',
  'to_k': 'k',
  'to_v': 'v',
  'to_out.0': 'proj_out',
}

export function originalVaeName(name: string, levels: number): string {
  const attention = /^(encoder|decoder)\.mid_block\.attentions\.0\.(.+)\.(weight|bias)$/.exec(name)
  if (attention) return `${attention[1]}.mid.attn_1.${VAE_ATTENTION[attention[2]!]}.${attention[3]}`
  const mid = /^(encoder|decoder)\.mid_block\.resnets\.(\d)\.(.+)$/.exec(name)
  if (mid) return `${mid[1]}.mid.block_${Number(mid[2]) + 1}.${shortcut(mid[3]!)}`
  const block = /^(encoder|decoder)\.(?:down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.+)$/.exec(name)
  if (!block) return name.replace('.conv_norm_out.', '.norm_out.')
  const [, side, index, part, layer, rest] = block
  const level = side === 'encoder' ? `down.${index}` : `up.${levels - 1 - Number(index)}`
  if (part === 'resnets') return `${side}.${level}.block.${layer}.${shortcut(rest!)}`
  return `${side}.${level}.${side === 'encoder' ? 'downsample' : 'upsample'}.${rest}`
}

function shortcut(rest: string): string {
  return rest.replace('conv_shortcut', 'nin_shortcut')
}

/** The shape the original layout gives a weight of the autoencoder: its attention is made of 1×1 convolutions. */
export function originalVaeShape(name: string, shape: Shape): Shape {
  return /\.attn_1\.(q|k|v|proj_out)\.weight$/.test(name) ? [...shape, 1, 1] : shape
}

const OPEN_CLIP_LAYER: Readonly<Record<string, string>> = {
  'layer_norm1': 'ln_1',
  'layer_norm2': 'ln_2',
  'mlp.fc1': 'mlp.c_fc',
  'mlp.fc2': 'mlp.c_proj',
  'self_attn.out_proj': 'attn.out_proj',
}

const OPEN_CLIP_OUTER: Readonly<Record<string, string>> = {
  'text_model.embeddings.position_embedding.weight': 'positional_embedding',
  'text_model.embeddings.token_embedding.weight': 'token_embedding.weight',
  'text_model.final_layer_norm.weight': 'ln_final.weight',
  'text_model.final_layer_norm.bias': 'ln_final.bias',
  'text_projection.weight': 'text_projection',
}

/** OpenCLIP's name, or undefined for the parts of attention that it stores fused. */
export function openClipName(name: string): string | undefined {
  const layer = /^text_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name)
  if (!layer) return OPEN_CLIP_OUTER[name]
  const part = OPEN_CLIP_LAYER[layer[2]!]
  return part && `transformer.resblocks.${layer[1]}.${part}.${layer[3]}`
}
