/** What a recipe may say. Everything that decides the outcome of a run is in it. */
import { z } from 'zod'
import { Precision, Recomputation } from '../protocol.ts'
import { TARGET_GROUPS } from './adapter-targets.ts'
import { RewardSpec } from '../rewards/reward-recipe.ts'
import { impossible } from './read-recipe.ts'

/** The version of the format that this program writes. */
export const RECIPE_VERSION = 1

export const Positive = z.number().positive()
export const NonNegative = z.number().nonnegative()
export const CountFrom = (least: number) => z.int().min(least)
export const Path = z.string().min(1)

const ZerothOrder = z.strictObject({
  form: z.enum(['antithetic', 'per-step']).default('antithetic'),
  mu: Positive.default(0.01),
  pairs: CountFrom(1).default(1),
})

const Proposal = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('uniform') }),
  z.strictObject({ kind: z.literal('gradient-norm'), temperature: Positive.default(1) }),
  z.strictObject({ kind: z.literal('emphasis'), perStep: z.array(NonNegative) }),
  /** By the emphasis of the template's stages. */
  z.strictObject({ kind: z.literal('template') }),
])

/** How the gradient is estimated: RLR or one of its peers. */
const Estimator = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('rlr'),
    /** Last steps that take the reward's own gradient, or all that the windows leave. */
    firstOrderDepth: z.union([CountFrom(0), z.literal('all-but-windows')]).default(1),
    windowLength: CountFrom(1).default(2),
    windows: CountFrom(0).default(1),
    coverage: z.enum(['zeroth-order', 'importance', 'none']).default('zeroth-order'),
    proposal: Proposal.default({ kind: 'uniform' }),
    zerothOrder: ZerothOrder.prefault({}),
    firstOrderWeight: NonNegative.default(1),
    baseline: z.enum(['leave-one-out', 'learned', 'none']).default('leave-one-out'),
  }),
  z.strictObject({ kind: z.literal('ddpo'), clip: Positive.default(1e-4), innerEpochs: CountFrom(1).default(1) }),
  z.strictObject({ kind: z.literal('alignprop'), depth: z.union([CountFrom(1), z.literal('random')]).default('random') }),
  z.strictObject({ kind: z.literal('reinforce') }),
  z.strictObject({ kind: z.literal('zo'), zerothOrder: ZerothOrder.prefault({}) }),
  z.strictObject({
    kind: z.literal('public-code'),
    firstOrderWeight: NonNegative.default(0.05),
    halfOrderWeight: NonNegative.default(0.001),
    chainLength: CountFrom(1).default(1),
    clip: Positive.default(1e-4),
  }),
  z.strictObject({ kind: z.literal('full') }),
])

const Schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), warmUp: CountFrom(0).default(0) }),
  z.strictObject({ kind: z.literal('cosine'), warmUp: CountFrom(0).default(0), floor: z.number().min(0).max(1).default(0) }),
])

export const Optimizer = z.strictObject({
  learningRate: Positive.default(1e-3),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: Positive.default(1e-8),
  weightDecay: NonNegative.default(1e-4),
  /** Largest global norm of a gradient; null for no limit. */
  clipNorm: Positive.nullable().default(1),
})

/** What a recipe says whichever trainer it is for. */
export const COMMON = {
  version: z.literal(RECIPE_VERSION),
  /** Written into the adapter; the day the run began unless given. */
  date: z.iso.datetime().optional(),
  /** A diffusers folder or a .safetensors file. */
  model: Path,
  seed: z.int().nonnegative().default(0),
  adapter: z
    .strictObject({
      rank: CountFrom(1).default(4),
      /** The rank unless given. */
      alpha: Positive.optional(),
      targets: z.array(z.enum(TARGET_GROUPS)).min(1).default(['attention']),
      /** A LoRA to go on from. */
      start: Path.optional(),
    })
    .prefault({}),
  schedule: Schedule.default({ kind: 'constant', warmUp: 0 }),
  /** A moving average of the adapter, which can be what is exported. */
  ema: z.strictObject({ decay: z.number().min(0).lt(1).default(0.99), export: z.boolean().default(true) }).nullable().default(null),
  updates: CountFrom(1),
  checkpoint: z.strictObject({ every: CountFrom(1).default(10), keepLast: CountFrom(1).default(3) }).prefault({}),
  precision: Precision.default('float32'),
  /** What gradients compute again to save memory: `blocks` needs the least, `attention` less time, `auto` takes what fits. */
  recomputation: Recomputation.default('auto'),
  /** Threads of the processor. Results are the same to the bit only for the same number; one that fits the machine unless given. */
  threads: CountFrom(1).optional(),
  /** What the files were that the outcome depends on, by path; written down when a run begins, and compared when it goes on. */
  fingerprints: z.record(z.string(), z.string()).default({}),
}

/** Training by a reward: RLR and its peers. */
export const RecipeSchema = z.strictObject({
  trainer: z.literal('rlr').default('rlr'),
  ...COMMON,
  sampling: z.strictObject({
    /** T */
    steps: CountFrom(1),
    /** Noise of the chain: 0 none, 1 that of the original diffusion. */
    eta: z.number().min(0).max(1).default(1),
    guidance: NonNegative.default(5),
    /** In pixels; the model's own size unless given. */
    width: CountFrom(1).optional(),
    height: CountFrom(1).optional(),
  }),
  /** Prompts, or the file that has one per line. The file's lines are copied into the recipe when a run begins. */
  prompts: z.union([z.array(z.string()).min(1), z.strictObject({ file: Path })]),
  negative: z.string().optional(),
  /** Prompts in stages along the chain: a template, or the file that holds one. */
  template: z
    .strictObject({ use: z.union([Path, z.record(z.string(), z.unknown())]), slots: z.record(z.string(), z.string()).default({}) })
    .optional(),
  batch: z
    .strictObject({
      /** Different prompts in a batch. */
      prompts: CountFrom(1).default(1),
      samplesPerPrompt: CountFrom(1).default(4),
      /** Batches whose gradients are averaged before each optimizer step. */
      accumulation: CountFrom(1).default(1),
    })
    .prefault({}),
  estimator: Estimator,
  reward: RewardSpec,
  penalties: z
    .strictObject({
      /** Weight of the penalty on drifting from the model as it was. */
      drift: NonNegative.default(0),
      /** What counts as drift: the KL divergence of sampling steps, or the mean square between predictions. */
      measure: z.enum(['kl', 'prediction']).default('prediction'),
    })
    .prefault({}),
  optimizer: Optimizer.prefault({}),
  /** Pictures for people: every so many updates (null for never), of the first prompts. */
  samples: z.strictObject({ every: CountFrom(1).nullable().default(null), count: CountFrom(1).default(4) }).prefault({}),
})

export type Recipe = z.output<typeof RecipeSchema>

/** Throws `recipe.impossible` when the learning rate would never get to its value. */
export function refuseLongWarmUp({ schedule: { warmUp }, updates }: Pick<Recipe, 'schedule' | 'updates'>): void {
  if (warmUp < updates) return
  throw impossible('schedule.warmUp', `schedule.warmUp of ${warmUp} is not less than the ${updates} updates.`, 'Lower schedule.warmUp.')
}
