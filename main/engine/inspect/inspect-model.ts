import type { Checkpoint, Component, Components } from '../../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import type { Parameter } from '../../../native-models/module.ts'
import { clipTextWeights, clipVisionWeights, unetWeights, vaeWeights } from '../../../native-models/required-weights.ts'
import { assertFinite } from '../../../native-models/weights/finite.ts'
import { requireWeight, type WeightEntry, type WeightSource } from '../../../native-models/weights/weight-source.ts'
import { HalfstepError } from '../errors.ts'
import type { ComponentSummary, ModelSummary } from '../protocol.ts'
import { isFloat } from '../tensor/dtype.ts'
import { elementCount } from '../tensor/shape.ts'

/** How many missing or misshapen tensors of one component are named before they are only counted. */
const FAULTS_NAMED = 3

/**
 * Opens a model and reads all its weights once: what it is, and what is wrong with it.
 * @param onComponent called before the weights of a component are read
 * @throws HalfstepError when it is no model; broken weights are `faults` of the summary
 */
export async function inspectModel(
  path: string,
  onComponent: (component: ComponentSummary) => void = () => undefined,
): Promise<ModelSummary> {
  const checkpoint = await openCheckpoint(path)
  const findings = partsOf(checkpoint.components).map(inspectPart)
  const problems = [...checkpoint.problems]
  const faults: string[] = []
  for (const finding of findings) {
    onComponent(finding.summary)
    problems.push(...finding.problems)
    faults.push(...finding.faults, ...(await faultOf(() => assertFinite(finding.weights, finding.used))))
  }
  return { ...describe(checkpoint), components: findings.map(({ summary }) => summary), problems, faults }
}

/** A component with the weights that its config calls for. */
interface Part {
  readonly name: ComponentSummary['name']
  readonly weights: WeightSource
  readonly required: readonly Parameter[]
}

interface Finding {
  readonly summary: ComponentSummary
  readonly weights: WeightSource
  /** Names of the required weights that are there. */
  readonly used: readonly string[]
  readonly problems: readonly string[]
  readonly faults: readonly string[]
}

function partsOf({ unet, textEncoder, textEncoder2, vae, imageEncoder }: Components): Part[] {
  return [
    part('unet', unet, unetWeights),
    part('textEncoder', textEncoder, clipTextWeights),
    part('textEncoder2', textEncoder2, clipTextWeights),
    part('vae', vae, vaeWeights),
    part('imageEncoder', imageEncoder, clipVisionWeights),
  ].flat()
}

function part<Config>(
  name: Part['name'],
  component: Component<Config> | undefined,
  required: (config: Config) => readonly Parameter[],
): Part[] {
  return component === undefined ? [] : [{ name, weights: component.weights, required: required(component.config) }]
}

function inspectPart({ name, weights, required }: Part): Finding {
  const entries: WeightEntry[] = []
  const missing: string[] = []
  for (const { name: tensor, shape } of required) {
    try {
      entries.push(requireWeight(weights, tensor, shape))
    } catch (error) {
      missing.push(messageOf(error))
    }
  }
  const needed = new Set(required.map((parameter) => parameter.name))
  const unused = weights.names().filter((tensor) => !needed.has(tensor) && isFloatWeight(weights.find(tensor)))
  return {
    summary: { name, parameters: sum(entries, elements), bytes: sum(entries, size), precision: bytesByType(entries) },
    weights,
    used: entries.map((entry) => entry.name),
    problems: unusedProblem(weights, unused),
    faults: shortened(missing),
  }
}

function describe(checkpoint: Checkpoint): Omit<ModelSummary, 'components' | 'problems' | 'faults'> {
  const { path, family, layout, predictionType, components, tokenizerFolder } = checkpoint
  const config = components.unet?.config
  const [height = null, width = null] = config?.sampleSize ?? []
  return {
    path,
    family,
    layout,
    predictionType,
    tokenizer: tokenizerFolder ?? null,
    latentSize: config === undefined ? null : [components.vae?.config.latentChannels ?? config.inChannels, height, width],
    crossAttentionWidth: config?.midBlock.crossAttentionDim ?? null,
  }
}

function isFloatWeight(entry: WeightEntry | undefined): boolean {
  return entry !== undefined && isFloat(entry.dtype)
}

const elements = ({ shape }: WeightEntry): number => elementCount(shape)
const size = ({ byteLength }: WeightEntry): number => byteLength

function bytesByType(entries: readonly WeightEntry[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(entries, ({ dtype }) => dtype)].map(([dtype, own]) => [dtype, sum(own, size)]))
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}

function unusedProblem(weights: WeightSource, unused: readonly string[]): string[] {
  if (unused.length === 0) return []
  const what = unused.length === 1 ? `the tensor ${unused[0]!}` : `${unused.length} tensors, ${unused[0]!} the first,`
  return [`${weights.description} holds ${what} that its network does not use.`]
}

function shortened(messages: readonly string[]): string[] {
  const rest = messages.length - FAULTS_NAMED
  if (rest <= 0) return [...messages]
  return [...messages.slice(0, FAULTS_NAMED), `${rest} more tensors of this component are missing or do not fit.`]
}

async function faultOf(check: () => Promise<void>): Promise<string[]> {
  try {
    await check()
    return []
  } catch (error) {
    return [messageOf(error)]
  }
}

/** The sentence of a foreseen error; any other is a defect and goes on. */
function messageOf(error: unknown): string {
  if (error instanceof HalfstepError) return error.message
  throw error
}
