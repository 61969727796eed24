/**
 * The names of the layers that an adapter may target. kohya files write them with `_` for `.`, which cannot be undone in
 * general (`to_out_0`, `time_emb_proj`), so names are read against the list of all layers there are in the UNets and
 * CLIP text encoders of diffusers, and in the UNets of the original Stable Diffusion layout. `#` stands for a number.
 */
import type { AdapterComponent } from './lora.ts'

const ATTENTION = ['to_q', 'to_k', 'to_v', 'to_out.0']
const TRANSFORMER_BLOCK = [...under('attn1', ATTENTION), ...under('attn2', ATTENTION), 'ff.net.0.proj', 'ff.net.2']
const TRANSFORMER = ['proj_in', 'proj_out', ...under('transformer_blocks.#', TRANSFORMER_BLOCK)]
const RESNET = ['conv1', 'conv2', 'conv_shortcut', 'time_emb_proj']
const BLOCK = [...under('attentions.#', TRANSFORMER), ...under('resnets.#', RESNET)]
const MLP = ['linear_1', 'linear_2']

/** A resnet's layers in the original layout. */
const ORIGINAL_RESNET: ReadonlyMap<string, string> = new Map([
  ['conv1', 'in_layers_2'],
  ['conv2', 'out_layers_3'],
  ['conv_shortcut', 'skip_connection'],
  ['time_emb_proj', 'emb_layers_1'],
])

const UNET = [
  'conv_in',
  'conv_out',
  ...under('time_embedding', MLP),
  ...under('add_embedding', MLP),
  ...under('class_embedding', MLP),
  ...under('down_blocks.#', [...BLOCK, 'downsamplers.#.conv']),
  ...under('mid_block', BLOCK),
  ...under('up_blocks.#', [...BLOCK, 'upsamplers.#.conv']),
]

const TEXT_ENCODER = [
  ...under('text_model.encoder.layers.#', [
    ...under('self_attn', ['q_proj', 'k_proj', 'v_proj', 'out_proj']),
    ...under('mlp', ['fc1', 'fc2']),
  ]),
  'text_projection',
]

/** A way to spell a family of layers, and the path in diffusers for the numbers in the spelling, if there is one. */
interface Spelling {
  readonly pattern: RegExp
  readonly path: (numbers: readonly number[]) => string | undefined
}

const DOTTED = {
  unet: UNET.map((template) => spelling(template, (numbers) => fill(template, numbers))),
  text: TEXT_ENCODER.map((template) => spelling(template, (numbers) => fill(template, numbers))),
}
/** Layers per block of a UNet, likeliest first: every published Stable Diffusion has two. */
export const LAYERS_PER_BLOCK = [2, 1, 3, 4] as const
export type LayersPerBlock = (typeof LAYERS_PER_BLOCK)[number]

const UNDERSCORED_UNET = new Map(LAYERS_PER_BLOCK.map((layers) => [layers, [...UNET.map(underscored), ...originalUnet(layers)]]))
const UNDERSCORED_TEXT = TEXT_ENCODER.map(underscored)

/** Whether a dotted path is a layer of such a component. */
export function isKnownModule(component: AdapterComponent, path: string): boolean {
  return resolve(component === 'unet' ? DOTTED.unet : DOTTED.text, path) !== undefined
}

/**
 * The dotted path for a name with `_` throughout, in diffusers' or the original layout; undefined if there is none. Only names of
 * the original layout depend on the layers per block.
 */
export function pathOfUnderscored(component: AdapterComponent, name: string, layersPerBlock: LayersPerBlock = 2): string | undefined {
  return resolve(component === 'unet' ? (UNDERSCORED_UNET.get(layersPerBlock) ?? []) : UNDERSCORED_TEXT, name)
}

/** What a layer does, for people. */
export type TargetKind = 'self-attention' | 'cross-attention' | 'feed-forward' | 'projection' | 'convolution' | 'embedding'

/** The kind of the layer at a known path. */
export function kindOf(path: string): TargetKind {
  if (/\battn2\./.test(path)) return 'cross-attention'
  if (/\b(attn1|self_attn)\./.test(path)) return 'self-attention'
  if (/\b(ff|mlp)\./.test(path)) return 'feed-forward'
  if (/(^|\.)(proj_in|proj_out|text_projection)$/.test(path)) return 'projection'
  if (/(^|\.)(time_emb_proj|linear_[12])$/.test(path)) return 'embedding'
  return 'convolution'
}

function under(prefix: string, names: readonly string[]): string[] {
  return names.map((name) => `${prefix}.${name}`)
}

function resolve(spellings: readonly Spelling[], name: string): string | undefined {
  for (const { pattern, path } of spellings) {
    const match = pattern.exec(name)
    if (match) return path(match.slice(1).map(Number))
  }
  return undefined
}

function underscored(template: string): Spelling {
  return spelling(template.replaceAll('.', '_'), (numbers) => fill(template, numbers))
}

function spelling(template: string, path: Spelling['path']): Spelling {
  return { pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll('#', '(0|[1-9]\\d{0,3})')}$`), path }
}

function fill(template: string, numbers: readonly number[]): string {
  let next = 0
  return template.replaceAll('#', () => String(numbers[next++]))
}

/**
 * The original layout numbers the blocks through. With n layers per block and s = n + 1, input block i ≥ 1 is layer
 * (i−1) mod s of down block ⌊(i−1)/s⌋, the last "layer" being the downsampler; output block i is layer i mod s of up block
 * ⌊i/s⌋, with the upsampler as the last member of layer n.
 */
function originalUnet(layersPerBlock: number): Spelling[] {
  const stride = layersPerBlock + 1
  const upsampler = (i: number): string | undefined =>
    i % stride === layersPerBlock ? `up_blocks.${Math.floor(i / stride)}.upsamplers.0.conv` : undefined
  return [
    named('input_blocks_0_0', 'conv_in'),
    named('out_2', 'conv_out'),
    named('time_embed_0', 'time_embedding.linear_1'),
    named('time_embed_2', 'time_embedding.linear_2'),
    named('label_emb_0_0', 'add_embedding.linear_1'),
    named('label_emb_0_2', 'add_embedding.linear_2'),
    spelling('input_blocks_#_0_op', ([i = 0]) =>
      i > 0 && i % stride === 0 ? `down_blocks.${i / stride - 1}.downsamplers.0.conv` : undefined,
    ),
    spelling('output_blocks_#_1_conv', ([i = 0]) => upsampler(i)),
    spelling('output_blocks_#_2_conv', ([i = 0]) => upsampler(i)),
    ...inBlocks(stride, 'attentions', '1', TRANSFORMER, (name) => name),
    ...inBlocks(stride, 'resnets', '0', RESNET, originalResnetName),
    ...members(
      'middle_block_1',
      TRANSFORMER,
      (name) => name,
      () => 'mid_block.attentions.0',
    ),
    ...members('middle_block_0', RESNET, originalResnetName, () => 'mid_block.resnets.0'),
    ...members('middle_block_2', RESNET, originalResnetName, () => 'mid_block.resnets.1'),
  ]
}

function inBlocks(
  stride: number,
  list: string,
  position: string,
  names: readonly string[],
  original: (name: string) => string,
): Spelling[] {
  return [
    ...members(`input_blocks_#_${position}`, names, original, ([i = 0]) =>
      i > 0 && i % stride !== 0 ? `down_blocks.${Math.floor(i / stride)}.${list}.${(i - 1) % stride}` : undefined,
    ),
    ...members(`output_blocks_#_${position}`, names, original, ([i = 0]) => `up_blocks.${Math.floor(i / stride)}.${list}.${i % stride}`),
  ]
}

/** Spellings `prefix_name` for paths `parent.name`; the prefix holds at most one number, the names hold the others. */
function members(
  prefix: string,
  names: readonly string[],
  original: (name: string) => string,
  parent: (numbers: readonly number[]) => string | undefined,
): Spelling[] {
  const own = prefix.includes('#') ? 1 : 0
  return names.map((name) =>
    spelling(`${prefix}_${original(name).replaceAll('.', '_')}`, (numbers) => {
      const block = parent(numbers.slice(0, own))
      return block === undefined ? undefined : `${block}.${fill(name, numbers.slice(own))}`
    }),
  )
}

function named(name: string, path: string): Spelling {
  return spelling(name, () => path)
}

function originalResnetName(name: string): string {
  return ORIGINAL_RESNET.get(name) ?? name
}
