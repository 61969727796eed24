import { z } from 'zod'
import { HalfstepError } from '../errors.ts'
import { didYouMean } from './nearest-name.ts'

/** Rewards as a recipe writes them. Every key has its meaning here and nowhere else; unknown ones are refused. */

const Path = z.string().min(1)
const Size = z.int().min(1).max(4096)
const PerChannel = z.tuple([z.number(), z.number(), z.number()])

/** What every reward of a mixture can be given. */
const part = {
  /** Said in curves; the reward's own name by default. */
  name: z.string().min(1).optional(),
  weight: z.number().default(1),
  /** Values beyond [low, high] count as that end. */
  clip: z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, 'the first must be below the second').optional(),
  /** Takes off the running mean of each prompt and divides by its deviation. */
  normalise: z.boolean().default(false),
}

const Target = z.strictObject({
  output: z.string().min(1).optional(),
  index: z.int().min(0).optional(),
  transform: z.enum(['none', 'probability', 'log-probability', 'sigmoid']).optional(),
})

const onnx = {
  path: Path,
  target: Target.optional(),
  height: Size.optional(),
  width: Size.optional(),
  fit: z.enum(['crop', 'stretch']).optional(),
  mean: PerChannel.optional(),
  std: PerChannel.refine((numbers) => numbers.every((number) => number > 0), 'they must be positive').optional(),
  clamp: z.boolean().optional(),
}

/** One reward by itself. */
const parts = [
  z.strictObject({ kind: z.literal('onnx'), ...onnx, ...part }),
  /** A judge that was trained here: an ONNX model like any other. */
  z.strictObject({ kind: z.literal('critic'), ...onnx, ...part }),
  /** A person's own: an ONNX model, or with a `head` the CLIP model at `path` that it goes with. */
  z.strictObject({ kind: z.literal('taste'), path: Path, head: Path.optional(), ...part }),
  /** `path` is OpenAI's CLIP ViT-L/14, `head` the predictor's linear layers. */
  z.strictObject({ kind: z.literal('aesthetic'), path: Path, head: Path, ...part }),
  z.strictObject({ kind: z.literal('prompt-match'), path: Path, scale: z.enum(['cosine', 'logit']).default('cosine'), ...part }),
  z.strictObject({ kind: z.literal('pickscore'), path: Path, divideBy: z.number().positive().default(1), ...part }),
  z.strictObject({ kind: z.literal('hpsv2'), path: Path, ...part }),
  /** `path` is a CLIP model, `pictures` the files to be like. */
  z.strictObject({ kind: z.literal('likeness'), path: Path, pictures: z.array(Path).min(1), ...part }),
  /** How different a picture is from the others of its prompt: beside another reward, against sameness. */
  z.strictObject({ kind: z.literal('variety'), ...part }),
] as const

const mixture = z.strictObject({ kind: z.literal('mixture'), parts: z.array(z.discriminatedUnion('kind', parts)).min(1) })

export const RewardSpec = z.discriminatedUnion('kind', [...parts, mixture])
export type RewardSpec = z.infer<typeof RewardSpec>
export type RewardPartSpec = Exclude<RewardSpec, { readonly kind: 'mixture' }>

/** The keys that each kind of reward knows. */
export const REWARD_KEYS: ReadonlyMap<string, readonly string[]> = new Map(
  [...parts, mixture].map(({ shape }) => [shape.kind.value, Object.keys(shape)]),
)

/** Whether what it says of a picture depends on the others of its prompt that are judged with it. */
export function comparesPictures(spec: RewardSpec): boolean {
  return (spec.kind === 'mixture' ? spec.parts : [spec]).some(({ kind }) => kind === 'variety')
}

/**
 * A reward as a recipe gives it, with defaults filled in.
 * @param key where it stands in the recipe, for messages
 * @throws recipe.malformed naming the key, and for an unknown one the nearest that is known
 */
export function parseRewardSpec(raw: unknown, key = 'reward'): RewardSpec {
  const result = RewardSpec.safeParse(raw)
  if (result.success) return result.data
  const { issues } = result.error
  // A key that is spelt wrongly is also missing where it belongs; the spelling is what helps.
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys')
  if (unknown !== undefined) throw unknownKey(raw, key, unknown.path, unknown.keys[0] ?? '')
  const [issue] = issues
  const path = [key, ...(issue?.path ?? [])].join('.')
  const value = valueAt(raw, issue?.path ?? [])
  if (issue?.path.at(-1) === 'kind' && typeof value === 'string') {
    const message = `${path} is ${JSON.stringify(value)}, a kind of reward that does not exist.`
    throw malformed(message, didYouMean(value, [...REWARD_KEYS.keys()]), path)
  }
  if (value === undefined) throw malformed(`The key ${path} is missing.`, 'Add it to the recipe.', path)
  const expected = issue?.message.replace(/^Invalid (input|option): /, '') ?? 'something else is expected'
  throw malformed(`${path} is ${shortened(value)}: ${expected}.`, 'Correct it in the recipe.', path)
}

function unknownKey(raw: unknown, key: string, path: readonly PropertyKey[], name: string): HalfstepError {
  const known = path.at(-1) === 'target' ? Object.keys(Target.shape) : (REWARD_KEYS.get(kindOf(valueAt(raw, path))) ?? [])
  const place = [key, ...path].join('.')
  return malformed(`${place} has the unknown key ${name}.`, didYouMean(name, known), `${place}.${name}`)
}

function malformed(message: string, nextStep: string, key: string): HalfstepError {
  return new HalfstepError('recipe.malformed', message, nextStep, { key })
}

function kindOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string' ? value.kind : ''
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), raw)
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`
}
