/**
 * Adapters as diffusers and peft write them: `unet.<path>.lora_A.weight` and `lora_B.weight`, alpha in the header's
 * `lora_adapter_metadata`. Older spellings of diffusers are read too.
 */
import * as z from 'zod'
import { HalfstepError } from '../errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { rankOf, type Adapter, type AdapterComponent, type LoraModule } from './lora.ts'
import { isKnownModule } from './module-names.ts'
import { mostCommon } from './most-common.ts'
import { assembleModules, malformed, type AlphaRule, type Part, type PartName } from './module-parts.ts'

/** Where diffusers keeps the settings of an adapter in a file's header. */
export const LORA_METADATA_KEY = 'lora_adapter_metadata'

const PREFIXES: Readonly<Record<AdapterComponent, string>> = {
  unet: 'unet',
  textEncoder: 'text_encoder',
  textEncoder2: 'text_encoder_2',
}

/**
 * The modules in a file's tensors. `config` is the adapter_config.json beside a file that peft itself wrote, if any.
 * alpha comes from an alpha tensor, else from the settings, else it equals the rank.
 *
 * Throws `adapter.malformed` or `adapter.unsupported`, naming file and key.
 */
export function readPeft(
  source: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: ReadonlyMap<string, string>,
  config?: unknown,
): LoraModule[] {
  const settings = readSettings(source, metadata.get(LORA_METADATA_KEY), config)
  return assembleModules(source, tensors, (key) => parseKey(source, key), settings)
}

/** The tensors of an adapter by their names in a file, and the header that gives diffusers the same alpha. */
export function writePeft(adapter: Adapter): { tensors: [string, Tensor][]; metadata: Record<string, string> } {
  const tensors = adapter.modules.flatMap((module): [string, Tensor][] => {
    const name = `${PREFIXES[module.component]}.${module.path}`
    return [
      [`${name}.lora_A.weight`, module.down],
      [`${name}.lora_B.weight`, module.up],
    ]
  })
  return { tensors, metadata: { [LORA_METADATA_KEY]: JSON.stringify(settingsOf(adapter.modules)) } }
}

// ---- names ----------------------------------------------------------------------------------------------------------

/** Endings of the weights' names: peft's (with or without the adapter's name in it), then diffusers' older ones. */
const ENDINGS: readonly (readonly [pattern: RegExp, part: Part])[] = [
  [/\.lora_A(\.\w+)?\.weight$/, 'down'],
  [/\.lora_B(\.\w+)?\.weight$/, 'up'],
  [/[._]lora(_linear_layer)?\.down\.weight$/, 'down'],
  [/[._]lora(_linear_layer)?\.up\.weight$/, 'up'],
  [/\.alpha$/, 'alpha'],
]

function parseKey(source: string, key: string): PartName {
  for (const [pattern, part] of ENDINGS) {
    const match = pattern.exec(key)
    if (match) return { ...parseModule(source, key, key.slice(0, match.index)), part }
  }
  throw malformed(source, key, 'it is neither a down weight, an up weight nor an alpha')
}

/** The module a name before its ending means; `base_model.model.` is how peft names a model it wraps. */
function parseModule(source: string, key: string, name: string): { component: AdapterComponent; path: string } {
  const bare = name.replace(/^base_model\.model\./, '')
  const match = /^(unet|text_encoder_2|text_encoder)\.(.+)$/.exec(bare)
  const components = match ? [componentOf(match[1])] : (['unet', 'textEncoder'] as const)
  for (const component of components) {
    const path = component === 'unet' ? unetPath(match?.[2] ?? bare) : textEncoderPath(match?.[2] ?? bare)
    if (isKnownModule(component, path)) return { component, path }
  }
  throw malformed(source, key, 'no Stable Diffusion UNet or CLIP text encoder has a module of that name')
}

function componentOf(prefix: string | undefined): AdapterComponent {
  if (prefix === 'unet') return 'unet'
  return prefix === 'text_encoder' ? 'textEncoder' : 'textEncoder2'
}

/** Attention processors once held the weights: `attn1.processor.to_q_lora` is `attn1.to_q`, `to_out_lora` `to_out.0`. */
function unetPath(name: string): string {
  return name.replace(/\.processor\./, '.').replace(/\.to_out$/, '.to_out.0')
}

/** The same for text encoders, which transformers writes with and without `text_model.` in front. */
function textEncoderPath(name: string): string {
  const path = name.replace(/\.self_attn\.to_([qkv]|out)$/, '.self_attn.$1_proj')
  return path.startsWith('encoder.') ? `text_model.${path}` : path
}

// ---- alpha ----------------------------------------------------------------------------------------------------------

/** The fields of peft's LoraConfig that change the result, with peft's own defaults. */
const Settings = z.object({
  r: z.int().min(1).default(8),
  lora_alpha: z.number().default(8),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  use_rslora: z.boolean().nullish(),
  use_dora: z.boolean().nullish(),
})

type Settings = z.infer<typeof Settings>

/** The alpha of modules without an alpha tensor, from the header or from adapter_config.json. */
function readSettings(source: string, header: string | undefined, config: unknown): AlphaRule {
  const members = header === undefined ? config : parseJson(source, header)
  if (members === undefined) return (_, rank) => rank
  if (typeof members !== 'object' || members === null || Array.isArray(members)) throw brokenSettings(source, 'they are not an object')
  const entries = Object.entries(members)
  const prefixed = new Map<AdapterComponent, Settings>()
  for (const component of ['unet', 'textEncoder', 'textEncoder2'] as const) {
    const prefix = `${PREFIXES[component]}.`
    const own = entries.flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : []))
    if (own.length > 0) prefixed.set(component, parseSettings(source, Object.fromEntries(own)))
  }
  // A file of one network alone has its settings without a prefix.
  const whole = 'lora_alpha' in members ? parseSettings(source, members) : undefined
  return (module, rank) => {
    const settings = prefixed.get(module.component) ?? whole
    return settings === undefined ? rank : alphaFrom(source, settings, module.path, rank)
  }
}

function parseSettings(source: string, members: unknown): Settings {
  const result = Settings.safeParse(members)
  if (!result.success) throw brokenSettings(source, `${result.error.issues[0]?.path.join('.') ?? ''} is not valid`)
  if (result.data.use_dora) {
    throw new HalfstepError(
      'adapter.unsupported',
      `${source} says it is a DoRA (use_dora), which Halfstep does not apply.`,
      'Use a plain LoRA.',
      { file: source, kind: 'DoRA' },
    )
  }
  return result.data
}

function alphaFrom(source: string, settings: Settings, path: string, rank: number): number {
  const pattern = Object.entries(settings.alpha_pattern ?? {}).find(([key]) => namesModule(source, key, path))
  const alpha = pattern?.[1] ?? settings.lora_alpha
  // Rank-stabilised LoRA scales by alpha/√r, which is (alpha·√r)/r.
  return settings.use_rslora ? alpha * Math.sqrt(rank) : alpha
}

/** peft matches such a key as the end of a module's path, or with `^` as the whole path. */
function namesModule(source: string, key: string, path: string): boolean {
  const name = key.replace(/^\^/, '')
  // peft takes keys for regular expressions; nobody needs one here, and a hostile one could run forever.
  if (!/^[\w.]+$/.test(name)) throw brokenSettings(source, `alpha_pattern has the key ${key}, which is not a module's name`)
  return path === name || (!key.startsWith('^') && path.endsWith(`.${name}`))
}

/**
 * Settings that make diffusers apply each module's own alpha and rank, and adapt no other module. Text encoder paths
 * go without `text_model.`, so that they match, as endings, with and without it.
 */
function settingsOf(modules: readonly LoraModule[]): Record<string, unknown> {
  const settings: Record<string, unknown> = {}
  for (const [component, own] of Map.groupBy(modules, (module) => module.component)) {
    const rank = mostCommon(own.map(rankOf))
    const alpha = mostCommon(own.map((module) => module.alpha))
    const others = <T>(value: (module: LoraModule) => T, common: T) =>
      Object.fromEntries(own.filter((module) => value(module) !== common).map((module) => [settingName(module), value(module)]))
    const prefix = PREFIXES[component]
    settings[`${prefix}.peft_type`] = 'LORA'
    settings[`${prefix}.r`] = rank
    settings[`${prefix}.lora_alpha`] = alpha
    settings[`${prefix}.rank_pattern`] = others(rankOf, rank)
    settings[`${prefix}.alpha_pattern`] = others((module) => module.alpha, alpha)
    settings[`${prefix}.target_modules`] = own.map(settingName)
  }
  return settings
}

function settingName(module: LoraModule): string {
  return module.path.replace(/^text_model\./, '')
}

function parseJson(source: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw brokenSettings(source, 'they are not valid JSON')
  }
}

function brokenSettings(source: string, cause: string): HalfstepError {
  return new HalfstepError(
    'adapter.malformed',
    `${source} has unusable LoRA settings (${LORA_METADATA_KEY} or adapter_config.json): ${cause}.`,
    'Export the adapter again with the tool that made it.',
    { file: source, key: LORA_METADATA_KEY },
  )
}
