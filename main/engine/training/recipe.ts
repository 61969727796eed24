/** Reading recipes: from any version, with every mistake said in a sentence that names the key and the remedy. */
import { createHash } from 'node:crypto'
import { ddimCoefficients } from '../diffusion/ddim.ts'
import { noiseSchedule, STABLE_DIFFUSION_SCHEDULE } from '../diffusion/noise-schedule.ts'
import { ddimTimesteps } from '../diffusion/timesteps.ts'
import { comparesPictures } from '../rewards/reward-recipe.ts'
import { createAlgorithm, type AlgorithmSettings } from '../rlr/algorithm.ts'
import { parseDenoisingRecipe, type DenoisingRecipe } from './denoising-recipe.ts'
import type { TrainingPlan } from './plan.ts'
import { impossible, isObject, malformed, readRecipe } from './read-recipe.ts'
import { RecipeSchema, refuseLongWarmUp, type Recipe } from './recipe-schema.ts'

export type { Recipe } from './recipe-schema.ts'

/** A recipe for either trainer. */
export type TrainingRecipe = Recipe | DenoisingRecipe

/** A recipe for the trainer that it names, RLR if none. Throws as `parseRecipe` does. */
export function parseTrainingRecipe(raw: unknown, source: string): TrainingRecipe {
  const trainer = (isObject(raw) ? raw.trainer : undefined) ?? 'rlr'
  if (trainer === 'denoising') return parseDenoisingRecipe(raw, source)
  if (trainer === 'rlr') return parseRecipe(raw, source)
  const message = `trainer in ${source} is ${JSON.stringify(trainer)}, which does not exist.`
  throw malformed(message, 'Set trainer to "rlr" or "denoising".', 'trainer')
}

/**
 * A recipe from JSON, complete with defaults.
 * @param source begins the sentences: the file's name
 * Throws `recipe.malformed` for unknown, missing or mistyped keys, and `recipe.impossible` for settings that cannot be.
 */
export function parseRecipe(raw: unknown, source: string): Recipe {
  const recipe = readRecipe(RecipeSchema, raw, source)
  refuseImpossible(recipe)
  return recipe
}

/** SHA-256 over the recipe: the same for the same settings, however they were written down. */
export function recipeFingerprint(recipe: unknown): string {
  return createHash('sha256').update(canonical(recipe)).digest('hex')
}

/**
 * The part of a recipe that the training loop follows.
 * @param fingerprint what checkpoints are known by; where the recipe was stored, that of what was stored
 */
export function planOf(recipe: TrainingRecipe, fingerprint = recipeFingerprint(recipe)): TrainingPlan {
  return {
    recipe: fingerprint,
    updates: recipe.updates,
    accumulation: recipe.batch.accumulation,
    optimizer: recipe.optimizer,
    schedule: recipe.schedule,
    ema: recipe.ema,
    checkpoint: recipe.checkpoint,
    sampleEvery: recipe.samples.every,
  }
}

/** The algorithm's settings; the emphasis of a template's stages comes from outside. */
export function algorithmSettings({ estimator, sampling }: Recipe, emphasis: () => readonly number[]): AlgorithmSettings {
  if (estimator.kind !== 'rlr') return estimator
  const { proposal, firstOrderDepth, windows, windowLength } = estimator
  return {
    ...estimator,
    // The last step has no noise that a window could take.
    firstOrderDepth: firstOrderDepth === 'all-but-windows' ? Math.max(1, sampling.steps - windows * windowLength) : firstOrderDepth,
    proposal: proposal.kind === 'template' ? { kind: 'emphasis', perStep: emphasis() } : proposal,
  }
}

/** What can be told without the model: settings that contradict one another. */
function refuseImpossible(recipe: Recipe): void {
  const { sampling, estimator, template, batch, prompts, reward } = recipe
  const proposesByTemplate = estimator.kind === 'rlr' && estimator.proposal.kind === 'template'
  if (proposesByTemplate && template === undefined) {
    throw impossible(
      'estimator.proposal',
      'estimator.proposal goes by a template, and the recipe has none.',
      'Add template, or set estimator.proposal to {"kind": "uniform"}.',
    )
  }
  refuseLongWarmUp(recipe)
  if (Array.isArray(prompts) && batch.prompts > prompts.length) {
    throw impossible(
      'batch.prompts',
      `batch.prompts is ${batch.prompts}, and there are only ${prompts.length} prompts.`,
      'Lower batch.prompts, or raise batch.samplesPerPrompt.',
    )
  }
  if (comparesPictures(reward) && batch.samplesPerPrompt === 1) {
    throw impossible(
      'batch.samplesPerPrompt',
      'The reward variety compares pictures of one prompt, and batch.samplesPerPrompt is 1.',
      'Set batch.samplesPerPrompt to 2 or more; 4 and more tell more.',
    )
  }
  const timesteps = ddimTimesteps(STABLE_DIFFUSION_SCHEDULE, sampling.steps)
  const coefficients = ddimCoefficients(noiseSchedule(STABLE_DIFFUSION_SCHEDULE), timesteps, sampling.eta, 'epsilon')
  const settings = algorithmSettings(recipe, () => timesteps.map(() => 1))
  // Whether the reward has a gradient is known once it is open.
  createAlgorithm(settings).assertPossible({ coefficients, differentiable: true })
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`
}
