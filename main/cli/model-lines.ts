/** `halfstep model inspect` in words. */
import { FAMILY_NAMES } from '../engine/adapters/base-family.ts'
import type { ComponentSummary, ModelSummary } from '../engine/protocol.ts'
import { formatBytes, formatCount, indented, table } from './figures.ts'
import type { Colors } from './terminal.ts'

export const COMPONENT_NAMES: Readonly<Record<ComponentSummary['name'], string>> = {
  unet: 'UNet',
  textEncoder: 'text encoder',
  textEncoder2: 'text encoder 2',
  vae: 'VAE',
  imageEncoder: 'image encoder',
}

const LAYOUTS = { 'diffusers': 'diffusers folder', 'single-file': 'single file' } as const
const PREDICTIONS = { epsilon: 'the noise ε', v_prediction: 'the velocity v' } as const

export function modelLines(model: ModelSummary, colors: Colors): string[] {
  const { path, family, layout, predictionType, components, tokenizer, latentSize, crossAttentionWidth, problems, faults } = model
  const has = (name: ComponentSummary['name']): boolean => components.some((component) => component.name === name)
  const facts = [
    ['file', path],
    ...(has('unet') ? [['predicts', PREDICTIONS[predictionType]]] : []),
    ...(latentSize === null ? [] : [['latents', latentWords(latentSize)]]),
    ...(crossAttentionWidth === null ? [] : [['text condition', `${crossAttentionWidth} wide`]]),
    ...(has('textEncoder') || has('textEncoder2') ? [['tokenizer', tokenizer ?? 'CLIP\'s standard one; the model brings none']] : []),
  ]
  return [
    colors.bold(`${has('unet') ? FAMILY_NAMES[family] : 'No UNet, only parts of a model'}, ${LAYOUTS[layout]}`),
    ...indented(table(facts)),
    '',
    ...indented(componentTable(components)),
    '',
    ...problems.map((problem) => `${colors.yellow('!')} ${problem}`),
    ...faults.map((fault) => `${colors.red('✗')} ${fault}`),
    ...(faults.length === 0 ? [`${colors.green('✓')} All weights are there and finite.`] : []),
  ]
}

function componentTable(components: readonly ComponentSummary[]): string[] {
  const rows = components.map(({ name, parameters, bytes, precision }) => [
    COMPONENT_NAMES[name], formatCount(parameters), formatBytes(bytes), precisionWords(precision),
  ])
  return table([['component', 'parameters', 'on disk', 'precision'], ...rows], [1, 2])
}

/** `float16`, or `float16 (99 %), float32 (1 %)` by bytes. */
function precisionWords(precision: Readonly<Record<string, number>>): string {
  const types = Object.entries(precision).sort(([, a], [, b]) => b - a)
  const total = types.reduce((sum, [, bytes]) => sum + bytes, 0)
  if (types.length <= 1) return types[0]?.[0] ?? 'none'
  return types.map(([type, bytes]) => `${type} (${((100 * bytes) / total).toPrecision(2)} %)`).join(', ')
}

function latentWords([channels, height, width]: NonNullable<ModelSummary['latentSize']>): string {
  if (height === null || width === null) return `${channels} channels`
  return `${channels} × ${height} × ${width}`
}
