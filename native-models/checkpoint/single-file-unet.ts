import { HalfstepError } from '../../main/engine/errors.ts'
import { renameWeights, type WeightSource } from '../weights/weight-source.ts'
import { standardGroups, type Found } from './found.ts'
import { dimensions } from './tensor-dimensions.ts'

/**
 * The original layout numbers its modules through (`input_blocks.4.1`), diffusers counts per resolution
 * (`down_blocks.1.attentions.0`). What a module is can be told from the weights it has.
 */
type ModuleKind = 'resnet' | 'transformer' | 'resampler'

interface Module {
  readonly kind: ModuleKind
  /** Its name in the original layout, e.g. `input_blocks.4.1`. */
  readonly original: string
}

/** One resolution: what comes between two resamplers. */
interface Stage {
  readonly resnets: string[]
  readonly transformers: string[]
  resampler?: string
}

/**
 * Maps a UNet of the original layout. `source` holds the weights below `model.diffusion_model.`; `pooledDim` is the width
 * of the pooled text, where a second text encoder is there. Throws `model.unknown-family` for structures that diffusers'
 * UNet does not have, `weights.missing-tensor` and `weights.wrong-shape` for damaged ones.
 */
export function mapUnet(source: WeightSource, pooledDim: number | undefined): Found {
  const modules = findModules(source)
  const down = stagesOf(modules.filter(({ original }) => original.startsWith('input_blocks.')))
  const middle = stagesOf(modules.filter(({ original }) => original.startsWith('middle_block.')))
  const up = stagesOf(modules.filter(({ original }) => original.startsWith('output_blocks.')))
  const mid = middle[0] ?? { resnets: [], transformers: [] }
  checkStructure(source, down, mid, up)

  const prefixes = new Map<string, string>(FIXED_NAMES)
  down.forEach((stage, i) => addNames(prefixes, stage, `down_blocks.${i}`, 'downsamplers.0.conv'))
  addNames(prefixes, mid, 'mid_block', '')
  up.forEach((stage, i) => addNames(prefixes, stage, `up_blocks.${i}`, 'upsamplers.0.conv'))

  const unknown = source.names().find((name) => diffusersName(name, prefixes) === undefined)
  if (unknown !== undefined) throw unknownStructure(source, `the tensor ${unknown} has no place in it`)
  const config = inferConfig(source, down, mid, up, pooledDim)
  return {
    weights: renameWeights(source, (name) => diffusersName(name, prefixes)),
    config: { ...config, ...standardSizes(config) },
    assumptions: assumptionsFor(config),
  }
}

const FIXED_NAMES: readonly (readonly [original: string, diffusers: string])[] = [
  ['input_blocks.0.0', 'conv_in'],
  ['time_embed.0', 'time_embedding.linear_1'],
  ['time_embed.2', 'time_embedding.linear_2'],
  ['label_emb.0.0', 'add_embedding.linear_1'],
  ['label_emb.0.2', 'add_embedding.linear_2'],
  ['out.0', 'conv_norm_out'],
  ['out.2', 'conv_out'],
]

const RESNET_PARTS: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  'skip_connection': 'conv_shortcut',
}

/** A weight by which each kind of module is known. */
const MARKS: Readonly<Record<string, ModuleKind>> = {
  'in_layers.0': 'resnet',
  'proj_in': 'transformer',
  'op': 'resampler',
  'conv': 'resampler',
}
const MARKED = /^((?:input_blocks|output_blocks)\.\d+\.\d+|middle_block\.\d+)\.(in_layers\.0|proj_in|op|conv)\.weight$/

/** All modules of the three parts, in the order they are run. */
function findModules(source: WeightSource): Module[] {
  const modules = source.names().flatMap((name): Module[] => {
    const [, original, mark] = MARKED.exec(name) ?? []
    const kind = MARKS[mark ?? '']
    return original === undefined || kind === undefined ? [] : [{ kind, original }]
  })
  return modules.sort((a, b) => a.original.localeCompare(b.original, 'en', { numeric: true }))
}

function stagesOf(modules: readonly Module[]): Stage[] {
  const stages: Stage[] = []
  let stage: Stage | undefined
  for (const { kind, original } of modules) {
    if (stage === undefined) stages.push((stage = { resnets: [], transformers: [] }))
    if (kind === 'resnet') stage.resnets.push(original)
    if (kind === 'transformer') stage.transformers.push(original)
    if (kind === 'resampler') {
      stage.resampler = original
      stage = undefined
    }
  }
  return stages
}

/** diffusers' blocks have a transformer after each resnet or after none, and as many resolutions up as down. */
function checkStructure(source: WeightSource, down: readonly Stage[], mid: Stage, up: readonly Stage[]): void {
  const isUniform = ({ resnets, transformers }: Stage) => transformers.length === 0 || transformers.length === resnets.length
  const isMirrored = up.every((stage, i) => stage.resnets.length === (down.at(-1 - i)?.resnets.length ?? NaN) + 1)
  const midFits = mid.transformers.length === 0 ? mid.resnets.length <= 1 : mid.transformers.length === 1 && mid.resnets.length === 2
  const endsPlainly = [down.at(-1), mid, up.at(-1)].every((stage) => stage?.resampler === undefined)
  if (down.length === 0) throw unknownStructure(source, 'it has no blocks')
  if (down.length !== up.length || !isMirrored || !endsPlainly) throw unknownStructure(source, 'its way up does not mirror its way down')
  if (!midFits) throw unknownStructure(source, 'its middle is another one')
  if (![...down, ...up].every(isUniform)) throw unknownStructure(source, 'some layers of a block lack a transformer')
}

function unknownStructure(source: WeightSource, reason: string): HalfstepError {
  return new HalfstepError(
    'model.unknown-family',
    `${source.description} holds a UNet that is not one of Stable Diffusion 1.x, 2.x or XL: ${reason}.`,
    'Use a model of one of these families.',
    { file: source.description },
  )
}

function addNames(prefixes: Map<string, string>, stage: Stage, block: string, resampler: string): void {
  stage.resnets.forEach((original, i) => {
    for (const [part, name] of Object.entries(RESNET_PARTS)) prefixes.set(`${original}.${part}`, `${block}.resnets.${i}.${name}`)
  })
  stage.transformers.forEach((original, i) => prefixes.set(original, `${block}.attentions.${i}`))
  if (stage.resampler === undefined) return
  for (const part of ['op', 'conv']) prefixes.set(`${stage.resampler}.${part}`, `${block}.${resampler}`)
}

/** Replaces the longest known beginning of a name; undefined when there is none, or when the rest is not known. */
function diffusersName(name: string, prefixes: ReadonlyMap<string, string>): string | undefined {
  for (let end = name.lastIndexOf('.'); end > 0; end = name.lastIndexOf('.', end - 1)) {
    const replacement = prefixes.get(name.slice(0, end))
    if (replacement !== undefined) return KNOWN_REST.test(name.slice(end)) ? replacement + name.slice(end) : undefined
  }
  return undefined
}

/** The weight or bias of a module itself, or of one inside a transformer; both layouts name these alike. */
const KNOWN_REST =
  /^\.((norm|proj_in|proj_out|transformer_blocks\.\d+\.(norm[123]|attn[12]\.to_(q|k|v|out\.0)|ff\.net\.(0\.proj|2)))\.)?(weight|bias)$/

/** What shapes tell of the config, in diffusers' form. */
function inferConfig(
  source: WeightSource,
  down: readonly Stage[],
  mid: Stage,
  up: readonly Stage[],
  pooledDim: number | undefined,
): InferredConfig {
  const [, inChannels, convInKernel] = dimensions(source, 'input_blocks.0.0.weight', 4)
  const [outChannels, , convOutKernel] = dimensions(source, 'out.2.weight', 4)
  const [timeEmbedDim] = dimensions(source, 'time_embed.0.weight', 2)
  const depths = (stages: readonly Stage[]) => stages.map((stage) => transformerLayers(source, stage))
  const downDepths = depths(down)
  const midDepth = transformerLayers(source, mid)
  // diffusers gives the middle the depth of the last entry, which says nothing else where the last block is plain.
  if (down.at(-1)?.transformers.length === 0) downDepths.splice(-1, 1, midDepth)
  if (mid.transformers.length > 0 && downDepths.at(-1) !== midDepth) throw unknownStructure(source, 'its middle has another depth')
  const transformers = [...down, mid].flatMap((stage) => stage.transformers)
  return {
    in_channels: inChannels,
    out_channels: outChannels,
    conv_in_kernel: convInKernel,
    conv_out_kernel: convOutKernel,
    time_embedding_dim: timeEmbedDim,
    down_block_types: down.map(({ transformers: { length } }) => (length > 0 ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    mid_block_type: midBlockType(mid),
    up_block_types: up.map(({ transformers: { length } }) => (length > 0 ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
    block_out_channels: down.map(({ resnets }) => dimensions(source, `${resnets[0] ?? ''}.out_layers.3.weight`, 4)[0] ?? 0),
    layers_per_block: down.map(({ resnets }) => resnets.length),
    transformer_layers_per_block: downDepths,
    reverse_transformer_layers_per_block: depths(up),
    ...attentionConfig(source, transformers[0]),
    ...additionConfig(source, pooledDim),
  }
}

function midBlockType({ resnets, transformers }: Stage): string | null {
  if (transformers.length > 0) return 'UNetMidBlock2DCrossAttn'
  return resnets.length > 0 ? 'UNetMidBlock2D' : null
}

/** Transformer blocks per transformer of a stage; 1 for a plain stage, as in diffusers' configs. */
function transformerLayers(source: WeightSource, { transformers }: Stage): number {
  const depths = transformers.map((original) => {
    const inside = new RegExp(`^${original.replaceAll('.', '\\.')}\\.transformer_blocks\\.(\\d+)\\.norm1\\.weight$`)
    return source.names().filter((name) => inside.test(name)).length
  })
  if (new Set(depths).size > 1) throw unknownStructure(source, 'transformers of one block have different depths')
  return depths[0] ?? 1
}

interface InferredConfig {
  readonly block_out_channels: readonly number[]
  readonly use_linear_projection: boolean
  readonly [key: string]: unknown
}

function attentionConfig(source: WeightSource, transformer: string | undefined) {
  if (transformer === undefined) return { use_linear_projection: false }
  const [, crossAttentionDim] = dimensions(source, `${transformer}.transformer_blocks.0.attn2.to_k.weight`, 2)
  return {
    cross_attention_dim: crossAttentionDim,
    use_linear_projection: source.find(`${transformer}.proj_in.weight`)?.shape.length === 2,
  }
}

/** SDXL: the pooled text and six numbers (the refiner: five) as sinusoids of one width go into `label_emb`. */
function additionConfig(source: WeightSource, pooledDim: number | undefined) {
  if (source.find('label_emb.0.0.weight') === undefined) return {}
  const [, inputDim = 0] = dimensions(source, 'label_emb.0.0.weight', 2)
  const widths = pooledDim === undefined ? [] : [6, 5].map((numbers) => (inputDim - pooledDim) / numbers)
  return {
    addition_embed_type: 'text_time',
    addition_time_embed_dim: widths.find((width) => Number.isInteger(width) && width > 0) ?? 256,
    projection_class_embeddings_input_dim: inputDim,
  }
}

/**
 * What no shape tells: SD 1.x has 8 heads everywhere, SD 2.x and SDXL have heads of 64 dimensions; all have 32 norm
 * groups. SD 2.1 is published with upcast attention, because its scores overflow float16.
 */
function standardSizes({ block_out_channels, use_linear_projection, addition_embed_type }: InferredConfig) {
  const heads = (channels: number) => (use_linear_projection ? channels / 64 : 8)
  return {
    upcast_attention: use_linear_projection && addition_embed_type === undefined,
    attention_head_dim: block_out_channels.map((channels) => (channels % heads(channels) === 0 ? heads(channels) : 1)),
    norm_num_groups: standardGroups(block_out_channels),
  }
}

/** The published models start with 320 channels (SDXL's refiner: 384), and for them the standard is certain. */
function assumptionsFor(config: InferredConfig): string[] {
  const [first] = config.block_out_channels
  if (first === 320 || first === 384) return []
  const { attention_head_dim: heads, norm_num_groups: groups } = standardSizes(config)
  return [`The file does not say how its UNet groups channels: ${heads.join(', ')} attention heads and ${groups} norm groups are assumed.`]
}
