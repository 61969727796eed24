/** From what a person wants to a recipe that does it, with settings that suit most models. */
import type { Precision } from '../../engine/protocol.ts'
import type { RecipeJson } from '../../store/runs.ts'

/** What people come for. */
export const GOALS = ['fix-hands', 'teach-style', 'tune-to-taste'] as const
export type Goal = (typeof GOALS)[number]

/** How much time it may take. */
export const EFFORTS = ['quick', 'balanced', 'thorough'] as const
export type Effort = (typeof EFFORTS)[number]

/** Everything a recipe is made of, already looked up. */
export interface Ingredients {
  readonly goal: Goal
  readonly effort: Effort
  readonly precision: Precision
  /** Absolute path of the model, and the side of the pictures that it was trained at in latents; null where it is not known. */
  readonly model: { readonly path: string; readonly latentSide: number | null }
  readonly prompts: readonly string[]
  readonly negative: string
  /** Prompts in stages; null for plain prompts. */
  readonly template: RecipeJson | null
  readonly reward: RecipeJson | null
  /** A folder of captioned pictures and how many there are. */
  readonly pictures: { readonly folder: string; readonly count: number } | null
  /** An adapter to go on from. */
  readonly start: string | null
}

/** Latents of this side are drawn in moments, so that many of them can be afforded. */
const SMALL_SIDE = 16

/**
 * Steps next to the noise that windows take; the reward's own gradient goes through all others. Measured on the starter, this leaves
 * the least variance after equal time (test/bench/rlr/depth-table.ts), and the most hands with five fingers after equal evaluations
 * (test/bench/rlr/compare.ts).
 */
const WINDOW_STEPS = 2

/** Updates of a run by a reward. */
const UPDATES: Readonly<Record<Effort, number>> = { quick: 40, balanced: 150, thorough: 500 }
/** How often a run on pictures shows each of them. */
const VIEWS: Readonly<Record<Effort, number>> = { quick: 20, balanced: 60, thorough: 150 }
/** Pictures along the way, so that a person sees it happen. */
const GLIMPSES = 20

/** A recipe for a goal; what is missing for it shows when the recipe is checked. */
export function draftRecipe(ingredients: Ingredients): RecipeJson {
  return ingredients.goal === 'teach-style' ? onPictures(ingredients) : byReward(ingredients)
}

/** Supervised training on a folder of pictures. */
function onPictures({ effort, model, precision, pictures, prompts, start }: Ingredients): RecipeJson {
  const updates = Math.min(4000, Math.max(100, (pictures?.count ?? 0) * VIEWS[effort]))
  return {
    version: 1,
    trainer: 'denoising',
    model: model.path,
    precision,
    adapter: { rank: 8, targets: ['attention'], ...(start === null ? {} : { start }) },
    dataset: { folder: pictures?.folder ?? '' },
    optimizer: { learningRate: 1e-4 },
    schedule: { kind: 'cosine', warmUp: Math.min(20, updates - 1) },
    ema: { decay: 0.99, export: true },
    updates,
    checkpoint: { every: Math.max(1, Math.round(updates / GLIMPSES)), keepLast: 3 },
    samples: { every: Math.max(1, Math.round(updates / GLIMPSES)), count: 4, ...(prompts.length === 0 ? {} : { prompts: [...prompts] }) },
  }
}

/** Training by a reward, with Recursive Likelihood Ratio estimation. */
function byReward({ effort, model, precision, prompts, negative, template, reward, start }: Ingredients): RecipeJson {
  const small = model.latentSide !== null && model.latentSide <= SMALL_SIDE
  const updates = UPDATES[effort]
  return {
    version: 1,
    trainer: 'rlr',
    model: model.path,
    precision,
    adapter: { rank: small ? 8 : 4, targets: ['attention'], ...(start === null ? {} : { start }) },
    sampling: { steps: 20, guidance: small ? 3 : 5 },
    prompts: [...prompts],
    ...(negative === '' ? {} : { negative }),
    ...(template === null ? {} : { template }),
    batch: { prompts: Math.max(1, Math.min(small ? 4 : 1, prompts.length)), samplesPerPrompt: 4 },
    estimator: {
      kind: 'rlr',
      firstOrderDepth: 'all-but-windows',
      windowLength: 1,
      windows: WINDOW_STEPS,
      coverage: 'importance',
      proposal: { kind: template === null ? 'uniform' : 'template' },
    },
    ...(reward === null ? {} : { reward }),
    penalties: { drift: 0.05 },
    optimizer: { learningRate: small ? 1e-3 : 3e-4 },
    schedule: { kind: 'constant', warmUp: 5 },
    ema: { decay: 0.95, export: true },
    updates,
    checkpoint: { every: Math.max(1, Math.round(updates / GLIMPSES)), keepLast: 3 },
    samples: { every: Math.max(1, Math.round(updates / GLIMPSES)), count: 4 },
  }
}
