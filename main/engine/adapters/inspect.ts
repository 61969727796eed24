/** What can be said of an adapter without its model. */
import type { FloatDType } from '../tensor/dtype.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { AdapterFile, AdapterFormat } from './adapter-file.ts'
import { adapterFamily, type BaseFamily } from './base-family.ts'
import { moduleKey, rankOf, type AdapterComponent, type LoraModule } from './lora.ts'
import { kindOf, type TargetKind } from './module-names.ts'

export interface AdapterSummary {
  readonly format: AdapterFormat
  /** Element type of most weights in the file. */
  readonly dtype: FloatDType
  /** The family of models it was made for; undefined if the modules do not tell. */
  readonly family: BaseFamily | undefined
  readonly title: string | undefined
  /** The ranks that occur, smallest first. */
  readonly ranks: readonly number[]
  /** The alphas that occur, smallest first. */
  readonly alphas: readonly number[]
  readonly modules: number
  readonly parameters: number
  readonly components: Readonly<Partial<Record<AdapterComponent, number>>>
  readonly targets: Readonly<Partial<Record<TargetKind, number>>>
  /** One sentence each; empty if nothing is wrong. */
  readonly problems: readonly string[]
}

export function inspectAdapter(adapter: AdapterFile): AdapterSummary {
  const { format, dtype, modules, metadata } = adapter
  return {
    format,
    dtype,
    family: adapterFamily(adapter),
    title: metadata['modelspec.title'] ?? metadata.ss_output_name,
    ranks: distinct(modules.map(rankOf)),
    alphas: distinct(modules.map((module) => module.alpha)),
    modules: modules.length,
    parameters: modules.reduce((count, { down, up }) => count + down.data.length + up.data.length, 0),
    components: countBy(modules, (module) => module.component),
    targets: countBy(modules, (module) => kindOf(module.path)),
    problems: problemsOf(modules),
  }
}

function problemsOf(modules: readonly LoraModule[]): string[] {
  const broken = modules.filter(({ down, up }) => !isFinite(down) || !isFinite(up))
  const untrained = modules.filter(({ up }) => isZero(up))
  const silent = modules.filter(({ alpha }) => alpha === 0)
  const ranks = distinct(modules.map(rankOf))
  return [
    broken.length > 0 ? `NaN or infinite numbers in ${listed(broken)}.` : '',
    untrained.length > 0 ? `Up weights are all zero (untrained, without effect) in ${listed(untrained, modules.length)}.` : '',
    silent.length > 0 ? `Alpha is zero (without effect) in ${listed(silent, modules.length)}.` : '',
    ranks.length > 1 ? `Modules have different ranks (${ranks.join(', ')}).` : '',
  ].filter((problem) => problem !== '')
}

/** `all 12 modules`, or `3 modules, the first being unet.conv_in`. */
function listed(modules: readonly LoraModule[], total?: number): string {
  if (modules.length === total) return `all ${total} modules`
  const [first] = modules
  const name = first ? moduleKey(first) : ''
  return modules.length === 1 ? name : `${modules.length} modules, the first being ${name}`
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}

function countBy<K extends string>(modules: readonly LoraModule[], key: (module: LoraModule) => K): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {}
  for (const module of modules) counts[key(module)] = (counts[key(module)] ?? 0) + 1
  return counts
}

function isFinite(tensor: FloatTensor): boolean {
  return tensor.data.every(Number.isFinite)
}

function isZero(tensor: FloatTensor): boolean {
  return tensor.data.every((value) => value === 0)
}
