/**
 * Adapters as kohya's sd-scripts write them and A1111, Forge and ComfyUI expect them: the module path with `_` for `.`
 * after `lora_unet_`, `lora_te_` (the only text encoder) or `lora_te1_`, `lora_te2_` (SDXL's), and an alpha tensor each.
 */
import { float32, type FloatTensor, type Tensor } from '../tensor/tensor.ts'
import type { Adapter, AdapterComponent, LoraModule } from './lora.ts'
import { LAYERS_PER_BLOCK, pathOfUnderscored, type LayersPerBlock } from './module-names.ts'
import { assembleModules, malformed, type Part, type PartName } from './module-parts.ts'
import { mostCommon } from './most-common.ts'

const COMPONENTS: ReadonlyMap<string, AdapterComponent> = new Map([
  ['lora_unet_', 'unet'],
  ['lora_te_', 'textEncoder'],
  ['lora_te1_', 'textEncoder'],
  ['lora_te2_', 'textEncoder2'],
])

const KEY = /^(lora_unet_|lora_te[12]?_)([^.]*)\.(.+)$/

const PARTS: ReadonlyMap<string, Part> = new Map([
  ['lora_down.weight', 'down'],
  ['lora_up.weight', 'up'],
  ['alpha', 'alpha'],
])

/** Whether a tensor is named as kohya names them. */
export function isKohyaKey(key: string): boolean {
  return KEY.test(key)
}

/**
 * The modules in a file's tensors; UNet names may be diffusers' or, as sd-scripts write them for SDXL, those of the
 * original layout. Without an alpha tensor, alpha equals the rank.
 *
 * Throws `adapter.malformed`, naming file and key.
 */
export function readKohya(source: string, tensors: ReadonlyMap<string, Tensor>): LoraModule[] {
  const layersPerBlock = layersPerBlockOf(tensors.keys())
  return assembleModules(
    source,
    tensors,
    (key) => parseKey(source, key, layersPerBlock),
    (_, rank) => rank,
  )
}

/** The layers per block with which every name means something; the usual number when none does, so that the error names a key. */
function layersPerBlockOf(keys: Iterable<string>): LayersPerBlock {
  const names = [...keys].flatMap((key) => /^lora_unet_(.+?)\./.exec(key)?.slice(1) ?? [])
  return (
    LAYERS_PER_BLOCK.find((layers) => names.every((name) => pathOfUnderscored('unet', name, layers) !== undefined)) ?? LAYERS_PER_BLOCK[0]
  )
}

/**
 * The tensors of an adapter by their names in a file. diffusers' names are written, which all programs read whatever the
 * number of layers per block; diffusers itself drops original names wherever both kinds occur.
 */
export function writeKohya(adapter: Adapter, sdxl: boolean): [string, Tensor][] {
  const byComponent = Map.groupBy(adapter.modules, (module) => module.component)
  return [...byComponent.values()].flatMap(withOneAlpha).flatMap((module): [string, Tensor][] => {
    const name = kohyaName(module, sdxl)
    return [
      [`${name}.lora_down.weight`, module.down],
      [`${name}.lora_up.weight`, module.up],
      [`${name}.alpha`, float32([], [module.alpha])],
    ]
  })
}

function parseKey(source: string, key: string, layersPerBlock: LayersPerBlock): PartName {
  const [, prefix = '', name = '', ending = ''] = KEY.exec(key) ?? []
  const component = COMPONENTS.get(prefix)
  const part = PARTS.get(ending)
  if (!component || !part) throw malformed(source, key, 'it is neither a down weight, an up weight nor an alpha')
  const path = pathOfUnderscored(component, name, layersPerBlock)
  if (path === undefined) throw malformed(source, key, 'no Stable Diffusion UNet or CLIP text encoder has a module of that name')
  return { component, path, part }
}

function kohyaName({ component, path }: LoraModule, sdxl: boolean): string {
  const name = path.replaceAll('.', '_')
  if (component === 'textEncoder') return `${sdxl ? 'lora_te1_' : 'lora_te_'}${name}`
  if (component === 'textEncoder2') return `lora_te2_${name}`
  // diffusers and A1111 know SDXL's size embedding by its original name only (diffusers 0.42, `_convert_unet_lora_key`).
  return `lora_unet_${ADD_EMBEDDING.get(path) ?? name}`
}

const ADD_EMBEDDING: ReadonlyMap<string, string> = new Map([
  ['add_embedding.linear_1', 'label_emb_0_0'],
  ['add_embedding.linear_2', 'label_emb_0_2'],
])

/**
 * The same modules with the most common alpha everywhere, B taking up the difference. diffusers (0.42) reads one alpha per
 * network from kohya files: where alphas differ it loses those of attention layers, and the adapter would come out at
 * the wrong strength there.
 */
function withOneAlpha(modules: readonly LoraModule[]): LoraModule[] {
  const alpha = mostCommon(modules.map((module) => module.alpha).filter((value) => value !== 0)) ?? 0
  return modules.map((module) => (module.alpha === alpha ? module : { ...module, alpha, up: times(module.up, module.alpha / alpha) }))
}

function times(tensor: FloatTensor, factor: number): FloatTensor {
  return float32(
    tensor.shape,
    tensor.data.map((value) => value * factor),
  )
}
