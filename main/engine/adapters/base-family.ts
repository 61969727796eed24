/** The family of models an adapter was made for, as far as its modules tell. */
import type { Adapter, AdapterComponent } from './lora.ts'

export type BaseFamily = 'sd1' | 'sd2' | 'sdxl'

export const FAMILY_NAMES: Readonly<Record<BaseFamily, string>> = {
  sd1: 'Stable Diffusion 1.x',
  sd2: 'Stable Diffusion 2.x',
  sdxl: 'Stable Diffusion XL',
}

/** A layer and the number of features it takes. */
export interface LayerWidth {
  readonly component: AdapterComponent
  readonly path: string
  readonly inputs: number
}

/** Features of the text that cross-attention reads, which are the text encoder's width (both together in SDXL). */
const CROSS_ATTENTION: ReadonlyMap<number, BaseFamily> = new Map([
  [768, 'sd1'],
  [1024, 'sd2'],
  [2048, 'sdxl'],
])

/** The family an adapter was made for: as its modules tell, else as its metadata says. */
export function adapterFamily(adapter: Adapter): BaseFamily | undefined {
  const layers = adapter.modules.map(({ component, path, down }) => ({ component, path, inputs: down.shape[1] ?? 0 }))
  return familyOf(layers) ?? familyOfMetadata(adapter.metadata)
}

/**
 * The family of some layers, from the surest sign at hand: the width of cross-attention; parts that only SDXL has; the width of the
 * text encoder (768 alone says nothing: SD 1.x and SDXL's first encoder share it). Undefined if nothing tells.
 */
export function familyOf(layers: readonly LayerWidth[]): BaseFamily | undefined {
  const cross = layers.find(({ path }) => /\.attn2\.to_[kv]$/.test(path))
  if (cross) return CROSS_ATTENTION.get(cross.inputs)
  if (layers.some(({ component, path }) => component === 'textEncoder2' || onlyInSdxl(path))) return 'sdxl'
  const text = layers.find(({ path }) => /\.self_attn\.[qkv]_proj$/.test(path))
  return text?.inputs === 1024 ? 'sd2' : undefined
}

/** The family as the header of an adapter file names it: by modelspec, else by sd-scripts' base version. */
export function familyOfMetadata(metadata: Readonly<Record<string, string>>): BaseFamily | undefined {
  const name = metadata['modelspec.architecture'] ?? metadata.ss_base_model_version ?? ''
  if (/^(stable-diffusion-xl|sdxl)/.test(name)) return 'sdxl'
  if (/^(stable-diffusion-v2|sd_v2)/.test(name)) return 'sd2'
  return /^(stable-diffusion-v1|sd_v1)/.test(name) ? 'sd1' : undefined
}

/** SD 1.x and 2.x have one transformer block per attention, and no size conditioning. */
function onlyInSdxl(path: string): boolean {
  return /\.transformer_blocks\.[1-9]/.test(path) || path.startsWith('add_embedding.')
}
