/** What an adapter file's header says for people and other programs. */
import type { BaseFamily } from './base-family.ts'
import { HALFSTEP_VERSION } from './halfstep-version.ts'
import { rankOf, type Adapter } from './lora.ts'
import { mostCommon } from './most-common.ts'

/** The architecture of Stability AI's model metadata standard (modelspec), as sd-scripts spell it. */
const ARCHITECTURES: Readonly<Record<BaseFamily, string>> = {
  sd1: 'stable-diffusion-v1/lora',
  sd2: 'stable-diffusion-v2-512/lora',
  sdxl: 'stable-diffusion-xl-v1-base/lora',
}

/** sd-scripts' names of the base, by which A1111 hides adapters that do not fit the model in use. */
const BASE_VERSIONS: Readonly<Record<BaseFamily, string>> = {
  sd1: 'sd_v1',
  sd2: 'sd_v2',
  sdxl: 'sdxl_base_v1-0',
}

/** Keys that describe one file and must be made anew for the next. */
const OWN_KEYS: ReadonlySet<string> = new Set([
  'lora_adapter_metadata',
  'ss_network_module',
  'ss_network_dim',
  'ss_network_alpha',
  'modelspec.implementation',
  'modelspec.hash_sha256',
  'sshs_model_hash',
  'sshs_legacy_hash',
])

export interface Description {
  readonly format: 'kohya' | 'peft'
  readonly family: BaseFamily | undefined
  readonly title: string
  readonly date: Date
}

/** A file's header: what the adapter brought with it, under what is true of this file. */
export function describeAdapter(adapter: Adapter, { format, family, title, date }: Description): Record<string, string> {
  return {
    format: 'pt',
    'modelspec.sai_model_spec': '1.0.0',
    ...(family && { 'modelspec.architecture': ARCHITECTURES[family] }),
    ...(family && format === 'kohya' && { ss_base_model_version: BASE_VERSIONS[family], ss_v2: family === 'sd2' ? 'True' : 'False' }),
    ...Object.fromEntries(Object.entries(adapter.metadata).filter(([key]) => !OWN_KEYS.has(key))),
    'modelspec.title': title,
    'modelspec.date': date.toISOString().slice(0, 19),
    'modelspec.implementation': 'diffusers',
    'halfstep.version': HALFSTEP_VERSION,
    ...(format === 'kohya' && networkEntries(adapter)),
  }
}

/** The entries by which kohya's programs and A1111 show rank and strength. */
function networkEntries(adapter: Adapter): Record<string, string> {
  const [rank, ...others] = new Set(adapter.modules.map(rankOf))
  return {
    ss_network_module: 'networks.lora',
    ss_network_dim: others.length === 0 ? String(rank) : 'Dynamic',
    ss_network_alpha: String(mostCommon(adapter.modules.map((module) => module.alpha))),
  }
}
