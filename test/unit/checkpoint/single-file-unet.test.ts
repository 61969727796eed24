import { expect, test } from 'vitest'
import { mapUnet } from '../../../native-models/checkpoint/single-file-unet.ts'
import { parseUnetConfig, type UnetBlockConfig, type UnetConfig } from '../../../native-models/checkpoint/unet-config.ts'
import { weightSource } from '../../../native-models/weights/weight-source.ts'
import { originalUnetName } from './original-layout.ts'
import { unetShapes } from './unet-shapes.ts'

const D = 'DownBlock2D'
const U = 'UpBlock2D'
const CD = 'CrossAttnDownBlock2D'
const CU = 'CrossAttnUpBlock2D'

/** The configs the models were published with, as far as they differ from diffusers' defaults. */
const PUBLISHED = {
  'Stable Diffusion 1.5': { cross_attention_dim: 768 },
  'Stable Diffusion 2.1': {
    cross_attention_dim: 1024,
    attention_head_dim: [5, 10, 20, 20],
    use_linear_projection: true,
    upcast_attention: true,
  },
  'Stable Diffusion XL': {
    block_out_channels: [320, 640, 1280],
    down_block_types: [D, CD, CD],
    up_block_types: [CU, CU, U],
    attention_head_dim: [5, 10, 20],
    transformer_layers_per_block: [1, 2, 10],
    cross_attention_dim: 2048,
    use_linear_projection: true,
    addition_embed_type: 'text_time',
    addition_time_embed_dim: 256,
    projection_class_embeddings_input_dim: 2816,
  },
  'Stable Diffusion XL refiner': {
    block_out_channels: [384, 768, 1536, 1536],
    down_block_types: [D, CD, CD, D],
    up_block_types: [U, CU, CU, U],
    attention_head_dim: [6, 12, 24, 24],
    transformer_layers_per_block: 4,
    cross_attention_dim: 1280,
    use_linear_projection: true,
    addition_embed_type: 'text_time',
    addition_time_embed_dim: 256,
    projection_class_embeddings_input_dim: 2560,
  },
  'a small model without attention in the middle': {
    block_out_channels: [320, 640],
    down_block_types: [CD, D],
    up_block_types: [U, CU],
    mid_block_type: 'UNetMidBlock2D',
    layers_per_block: 2,
    in_channels: 9,
    conv_in_kernel: 5,
  },
}

/** Heads and depth mean nothing where there is no transformer. */
function withoutPlainAttention(_key: string, value: unknown): unknown {
  const isPlain = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'plain'
  return isPlain ? { ...(value as UnetBlockConfig), heads: 0, transformerLayers: 0, crossAttentionDim: 0 } : value
}

/** The weights of a UNet in the original layout; those whose names in diffusers match `left` are left out. */
function originalOf(config: UnetConfig, left = /^$/) {
  const numbering = { layersPerBlock: 2, upAttention: config.upBlocks.map(({ kind }) => kind === 'cross-attention') }
  const kept = unetShapes(config).filter(([name]) => !left.test(name))
  const place = { dtype: 'float16', file: '/model.safetensors', byteOffset: 0, byteLength: 0 } as const
  return weightSource(
    'model.safetensors',
    kept.map(([name, shape]) => ({ ...place, name: originalUnetName(name, numbering), shape })),
  )
}

for (const [model, published] of Object.entries(PUBLISHED)) {
  test(`infers the config and names of ${model} from the original layout alone`, () => {
    const config = parseUnetConfig(published, model)
    const weights = unetShapes(config)
    const found = mapUnet(originalOf(config), config.addition && 1280)
    expect(found.weights.names().toSorted()).toEqual(weights.map(([name]) => name).toSorted())
    for (const [name, shape] of weights) expect(found.weights.find(name)!.shape).toEqual(shape)
    expect(found.assumptions).toEqual([])
    const inferred = parseUnetConfig(found.config, model)
    expect(JSON.parse(JSON.stringify(inferred, withoutPlainAttention))).toEqual(JSON.parse(JSON.stringify(config, withoutPlainAttention)))
  })
}

test('refuses transformers of uneven depth, which no config can describe', () => {
  const config = parseUnetConfig(PUBLISHED['Stable Diffusion XL'], 'xl')
  const uneven = originalOf(config, /^down_blocks\.2\.attentions\.0\.transformer_blocks\.9\./)
  expect(() => mapUnet(uneven, 1280)).toThrow('transformers of one block have different depths')
  const shallow = originalOf(config, /^mid_block\.attentions\.0\.transformer_blocks\.9\./)
  expect(() => mapUnet(shallow, 1280)).toThrow('its middle has another depth')
})
