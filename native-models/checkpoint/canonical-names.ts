import { renameWeights, type WeightSource } from '../weights/weight-source.ts'

/**
 * Different versions of diffusers and transformers name the same weights differently. Everything after the readers
 * sees one spelling: that of the published Stable Diffusion repositories in current diffusers.
 */

/**
 * A CLIP text encoder under `text_model.…` and `text_projection.weight`. transformers ≥ 5.6 writes CLIPTextModel
 * without the prefix; a whole CLIP model holds the other tower too, which is left out, as are buffers.
 */
export function canonicalTextEncoder(source: WeightSource): WeightSource {
  return canonicalTower(source, 'text_model.', /^(embeddings|encoder|final_layer_norm)\./, 'text_projection.weight')
}

/** A CLIP vision tower under `vision_model.…` and `visual_projection.weight`. */
export function canonicalImageEncoder(source: WeightSource): WeightSource {
  return canonicalTower(source, 'vision_model.', /^(embeddings|encoder|pre_layrnorm|post_layernorm)\./, 'visual_projection.weight')
}

function canonicalTower(source: WeightSource, prefix: string, parts: RegExp, projection: string): WeightSource {
  const prefixed = source.names().some((name) => name.startsWith(prefix))
  return renameWeights(source, (name) => {
    if (name === projection) return name
    if (prefixed && !name.startsWith(prefix)) return undefined
    const inner = prefixed ? name.slice(prefix.length) : name
    return parts.test(inner) && !inner.endsWith('.position_ids') ? prefix + inner : undefined
  })
}

/** An autoencoder whose attention is named as in diffusers ≥ 0.16: to_q, to_k, to_v, to_out.0. */
export function canonicalVae(source: WeightSource): WeightSource {
  const current = (_match: string, path: string, old: string) => `${path}${ATTENTION[old] ?? old}.`
  return renameWeights(source, (name) => name.replace(/(\.attentions\.\d+\.)(query|key|value|proj_attn)\./, current))
}

const ATTENTION: Readonly<Record<string, string>> = { query: 'to_q', key: 'to_k', value: 'to_v', proj_attn: 'to_out.0' }
