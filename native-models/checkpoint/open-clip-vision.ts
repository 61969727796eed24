import { withoutPrefix, weightSource, type WeightEntry, type WeightSource } from '../weights/weight-source.ts'
import type { Found } from './found.ts'
import { openClipLayers } from './single-file-clip.ts'
import { dimensions } from './tensor-dimensions.ts'

/** OpenCLIP's large vision towers (L, H, g, bigG: widths 1024 to 1664) all have 16 heads; smaller ones have heads of 64 dimensions. */
const LARGE = { width: 1024, heads: 16 } as const

const NAMES: ReadonlyMap<string, string> = new Map([
  ['class_embedding', 'vision_model.embeddings.class_embedding'],
  ['positional_embedding', 'vision_model.embeddings.position_embedding.weight'],
  ['conv1.weight', 'vision_model.embeddings.patch_embedding.weight'],
  ['ln_pre.weight', 'vision_model.pre_layrnorm.weight'],
  ['ln_pre.bias', 'vision_model.pre_layrnorm.bias'],
  ['ln_post.weight', 'vision_model.post_layernorm.weight'],
  ['ln_post.bias', 'vision_model.post_layernorm.bias'],
])

/** The vision transformer of an OpenCLIP model, whose names begin with `visual.`, with its projection. */
export function mapOpenClipVision(file: WeightSource): Found {
  const visual = withoutPrefix(file, 'visual.')
  const weights = weightSource(file.description, [...openClipLayers(visual, 'vision_model'), ...outerEntries(visual)])
  const [hiddenSize = 0, channels, patchSize = 0] = dimensions(visual, 'conv1.weight', 4)
  const [positions = 0] = dimensions(visual, 'positional_embedding', 2)
  const [intermediateSize] = dimensions(weights, 'vision_model.encoder.layers.0.mlp.fc1.weight', 2)
  const layers = weights.names().filter((name) => name.endsWith('.mlp.fc1.weight')).length
  return {
    weights,
    config: {
      architectures: ['CLIPVisionModelWithProjection'],
      hidden_act: 'gelu',
      hidden_size: hiddenSize,
      intermediate_size: intermediateSize,
      num_hidden_layers: layers,
      num_attention_heads: heads(hiddenSize),
      num_channels: channels,
      patch_size: patchSize,
      // One position is the class token's, the others are a square of patches.
      image_size: patchSize * Math.round(Math.sqrt(positions - 1)),
      projection_dim: dimensions(visual, 'proj', 2)[1],
    },
    assumptions: [],
  }
}

function heads(width: number): number {
  if (width >= LARGE.width) return LARGE.heads
  return width % 64 === 0 ? width / 64 : 1
}

/** Embeddings, the norms around the layers, and the projection, which OpenCLIP applies from the right: pooled · P, P [in, out]. */
function outerEntries(visual: WeightSource): WeightEntry[] {
  const entries = [...NAMES].flatMap(([original, name]) => {
    const entry = visual.find(original)
    return entry === undefined ? [] : [{ ...entry, name }]
  })
  const projection = visual.find('proj')
  if (projection === undefined) return entries
  const [input = 0, output = 0] = dimensions(visual, 'proj', 2)
  return [...entries, { ...projection, name: 'visual_projection.weight', shape: [output, input], transposed: true }]
}
