import { HalfstepError } from '../../main/engine/errors.ts'
import { allEntries, renameWeights, weightSource, withoutPrefix, type WeightEntry, type WeightSource } from '../weights/weight-source.ts'
import { canonicalTextEncoder } from './canonical-names.ts'
import type { Found } from './found.ts'
import { dimensions } from './tensor-dimensions.ts'

/** A text encoder in the layout of transformers (SD 1.x, the first one of SDXL). `source` holds what is below its prefix. */
export function mapClip(source: WeightSource): Found {
  const weights = canonicalTextEncoder(source)
  return describe(weights, { hidden_act: 'quick_gelu', architectures: ['CLIPTextModel'] })
}

/** The second text encoder of SDXL: OpenCLIP with its projection. */
export function mapOpenClipWithProjection(source: WeightSource): Found {
  return describe(openClipWeights(source, true), { hidden_act: 'gelu', architectures: ['CLIPTextModelWithProjection'] })
}

/** Layers of SD 2.x's encoder as diffusers has it, and as files that were converted back from diffusers have it. */
const LAYERS_IN_DIFFUSERS = 23

/**
 * The text encoder of SD 2.x: OpenCLIP without its projection and without its last layer, which is in the file but
 * never run, because the hidden state before it is the condition.
 */
export function mapOpenClip(source: WeightSource): Found {
  const found = describe(openClipWeights(source, false), { hidden_act: 'gelu', architectures: ['CLIPTextModel'] })
  const stored = layerCount(found.weights)
  const used = stored === LAYERS_IN_DIFFUSERS ? stored : stored - 1
  const assumption = `The text encoder has ${stored} layers: all but the last are used, as in Stable Diffusion 2.x.`
  return {
    ...found,
    config: { ...found.config, num_hidden_layers: used },
    assumptions: used === LAYERS_IN_DIFFUSERS ? found.assumptions : [...found.assumptions, assumption],
  }
}

/** A text encoder without the layers that its config does not count. */
export function usedLayers(weights: WeightSource, layers: number): WeightSource {
  return renameWeights(weights, (name) => (layerOf(name) < layers ? name : undefined))
}

function openClipWeights(source: WeightSource, withProjection: boolean): WeightSource {
  return weightSource(source.description, [...openClipLayers(source, 'text_model'), ...outerEntries(source, withProjection)])
}

/** The layers of an OpenCLIP tower, `transformer.resblocks.…`, as transformers names them: the text and vision towers share their form. */
export function openClipLayers(source: WeightSource, tower: 'text_model' | 'vision_model'): WeightEntry[] {
  const layers = allEntries(withoutPrefix(source, 'transformer.resblocks.'))
  return layers.flatMap((entry) => layerEntries(entry, tower, source.description))
}

const OUTER_NAMES: ReadonlyMap<string, string> = new Map([
  ['positional_embedding', 'text_model.embeddings.position_embedding.weight'],
  ['token_embedding.weight', 'text_model.embeddings.token_embedding.weight'],
  ['ln_final.weight', 'text_model.final_layer_norm.weight'],
  ['ln_final.bias', 'text_model.final_layer_norm.bias'],
])

const LAYER_PARTS: Readonly<Record<string, string>> = {
  'ln_1': 'layer_norm1',
  'ln_2': 'layer_norm2',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
  'attn.out_proj': 'self_attn.out_proj',
}

/** Embeddings, the last norm and the projection, which OpenCLIP applies from the right: pooled · P, P [in, out]. */
function outerEntries(source: WeightSource, withProjection: boolean): WeightEntry[] {
  const entries = [...OUTER_NAMES].flatMap(([original, name]) => {
    const entry = source.find(original)
    return entry === undefined ? [] : [{ ...entry, name }]
  })
  const projection = source.find('text_projection')
  if (!withProjection || projection === undefined) return entries
  const [input = 0, output = 0] = dimensions(source, 'text_projection', 2)
  return [...entries, { ...projection, name: 'text_projection.weight', shape: [output, input], transposed: true }]
}

/** The entries of one weight of a layer, `<layer>.<part>.<weight|bias>`: one, or three for the fused q, k and v. */
function layerEntries(entry: WeightEntry, tower: string, description: string): WeightEntry[] {
  const [, layer, inner = ''] = /^(\d+)\.(.+)$/.exec(entry.name) ?? []
  const prefix = `${tower}.encoder.layers.${layer}.`
  const fused = /^attn\.in_proj_(weight|bias)$/.exec(inner)?.[1]
  if (fused !== undefined) {
    return splitInThree(entry, description).map((part, i) => ({ ...part, name: `${prefix}self_attn.${'qkv'[i] ?? ''}_proj.${fused}` }))
  }
  const [, part = '', kind] = /^(.+)\.(weight|bias)$/.exec(inner) ?? []
  const name = LAYER_PARTS[part]
  if (layer !== undefined && name !== undefined) return [{ ...entry, name: `${prefix}${name}.${kind}` }]
  const message = `${description} holds a CLIP tower with the unknown tensor resblocks.${entry.name}.`
  const details = { file: description, tensor: entry.name }
  throw new HalfstepError('model.unknown-family', message, 'Use a Stable Diffusion 1.x, 2.x or XL model.', details)
}

/** Query, key and value lie one after the other along the first dimension, hence one after the other in the file. */
function splitInThree(entry: WeightEntry, description: string): WeightEntry[] {
  const [rows = 0, ...rest] = entry.shape
  if (rows % 3 !== 0) {
    const message = `${description} stores the tensor ${entry.name} with ${rows} rows, which are not three equal parts.`
    const details = { file: description, tensor: entry.name }
    throw new HalfstepError('weights.wrong-shape', message, 'The file is damaged; download it again.', details)
  }
  const shape = [rows / 3, ...rest]
  const byteLength = entry.byteLength / 3
  return [0, 1, 2].map((part) => ({ ...entry, shape, byteOffset: entry.byteOffset + part * byteLength, byteLength }))
}

function layerCount(weights: WeightSource): number {
  return 1 + Math.max(...weights.names().map(layerOf))
}

/** The layer a weight belongs to; −1 for embeddings, the last norm and the projection. */
function layerOf(name: string): number {
  return Number(/\.layers\.(\d+)\./.exec(name)?.[1] ?? -1)
}

/** The config that the shapes of a text encoder tell, completed by the standard: heads of 64 dimensions. */
function describe(weights: WeightSource, family: Readonly<Record<string, unknown>>): Found {
  const [vocabSize, hiddenSize = 0] = dimensions(weights, 'text_model.embeddings.token_embedding.weight', 2)
  const [positions] = dimensions(weights, 'text_model.embeddings.position_embedding.weight', 2)
  const [intermediateSize] = dimensions(weights, 'text_model.encoder.layers.0.mlp.fc1.weight', 2)
  const [projectionDim = hiddenSize] = weights.find('text_projection.weight')?.shape ?? []
  const heads = hiddenSize % 64 === 0 ? hiddenSize / 64 : 1
  return {
    weights,
    config: {
      ...family,
      vocab_size: vocabSize,
      hidden_size: hiddenSize,
      intermediate_size: intermediateSize,
      num_hidden_layers: layerCount(weights),
      num_attention_heads: heads,
      max_position_embeddings: positions,
      projection_dim: projectionDim,
      // The original code pools at the token with the largest id; 2 stands for that.
      eos_token_id: 2,
    },
    assumptions: hiddenSize >= 768 ? [] : [`The file does not say how many attention heads its text encoder has: ${heads} assumed.`],
  }
}
