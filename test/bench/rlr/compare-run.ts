/** One run of one method on the starter, judged on the way. */
import path from 'node:path'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { readJson } from '../../../native-models/weights/json-file.ts'
import { samplingChain } from '../../../main/engine/diffusion/sampler.ts'
import { CriticReader } from '../../../main/engine/evaluation/critic-reader.ts'
import { latentSize, plannedPictures } from '../../../main/engine/evaluation/evaluate-starter.ts'
import { EVALUATION_SEED, heldOutPrompts } from '../../../main/engine/evaluation/held-out.ts'
import { handPrompts } from '../../../main/engine/evaluation/hand-prompts.ts'
import { judgeDrawings, type JudgedDrawings } from '../../../main/engine/evaluation/judge-drawings.ts'
import { summariseArm } from '../../../main/engine/evaluation/summarise-arm.ts'
import { StableDiffusion } from '../../../main/engine/pipeline/stable-diffusion.ts'
import type { Parameters } from '../../../main/engine/rlr/denoiser.ts'
import { loadTemplate } from '../../../main/engine/templates/load-template.ts'
import { isTarget } from '../../../main/engine/training/adapter-targets.ts'
import { completeRecipe } from '../../../main/engine/training/open-run.ts'
import { parseRecipe, planOf, type Recipe } from '../../../main/engine/training/recipe.ts'
import { NotFinite } from '../../../main/engine/training/not-finite.ts'
import { initialState } from '../../../main/engine/training/run-state.ts'
import { openStableDiffusionTask } from '../../../main/engine/training/stable-diffusion-task.ts'
import { takeUpdate } from '../../../main/engine/training/take-update.ts'
import type { TrainingTask } from '../../../main/engine/training/training-task.ts'
import type { Method } from './compare-methods.ts'
import type { RunPart, RunPoint } from './compare-parts.ts'

export interface RunSettings {
  readonly method: Method
  readonly purpose: RunPart['purpose']
  readonly seed: number
  readonly rate: number
  readonly evaluations: number
  /** Points at which it is judged, besides the beginning. */
  readonly points: number
  readonly pictures: number
  /** Chain, batch, adapter and reward are this recipe's. */
  readonly recipeFile: string
  readonly threads: number
}

/** Of a VJP, in forward passes: it runs the network forwards and backwards. */
const VJP = 2

/** Seeds of pictures that learning rates are chosen by, apart from those that methods are compared by. */
const TUNING_SEED = EVALUATION_SEED + 2 ** 30

/** A recipe for a method: the critic alone, no drift penalty, a constant rate, everything else as the demo has it. */
export async function recipeOf({ method, seed, rate, recipeFile, threads }: RunSettings): Promise<Recipe> {
  const { template: _template, ...base } = parseRecipe(await readJson(recipeFile), recipeFile)
  const recipe = {
    ...base,
    seed,
    threads,
    estimator: method.estimator,
    ...(method.template ? { template: { use: 'starter-hand' } } : {}),
    reward: base.reward.kind === 'mixture' ? base.reward.parts.find(({ kind }) => kind === 'critic') : base.reward,
    penalties: { drift: 0 },
    optimizer: { ...base.optimizer, learningRate: rate },
    schedule: { kind: 'constant', warmUp: 0 },
    ema: null,
    updates: Number.MAX_SAFE_INTEGER,
  }
  return completeRecipe(parseRecipe(recipe, recipeFile), path.dirname(recipeFile))
}

/** Trains until the evaluations are spent and judges at evenly spaced points. */
export async function runMethod(settings: RunSettings): Promise<{ points: RunPoint[]; failure: string | null }> {
  const recipe = await recipeOf(settings)
  const gallery = await Gallery.open(recipe, settings)
  const task = await openStableDiffusionTask(recipe, { device: 'cpu' })
  try {
    return await train(task, recipe, settings, gallery)
  } finally {
    await task.dispose()
    await gallery.dispose()
  }
}

async function train(
  task: TrainingTask,
  recipe: Recipe,
  { evaluations: budget, points: count }: RunSettings,
  gallery: Gallery,
): Promise<{ points: RunPoint[]; failure: string | null }> {
  const samples = recipe.batch.prompts * recipe.batch.samplesPerPrompt
  const plan = planOf(recipe)
  let [evaluations, seconds] = [0, 0]
  const counted: TrainingTask = {
    ...task,
    update: async (draw, apply) => {
      const summary = await task.update(draw, apply)
      evaluations += samples * (summary.cost.forwards + VJP * summary.cost.vjps)
      return summary
    },
  }
  let state = initialState(task.initialTheta(), false)
  const points = [await gallery.judge(state.theta, { updates: 0, evaluations, seconds })]
  while (evaluations < budget) {
    const before = process.cpuUsage()
    try {
      state = (await takeUpdate(counted, plan, state)).state
    } catch (error) {
      if (!(error instanceof NotFinite)) throw error
      return { points, failure: `After ${state.update} updates ${error.what} was not finite.` }
    }
    // The first update compiles what later ones only use. Time of the processor does not grow when other programs want it too.
    if (state.update > 1) seconds += processorSeconds(process.cpuUsage(before))
    const isDue = evaluations >= (budget * points.length) / count
    if (isDue) points.push(await gallery.judge(state.theta, { updates: state.update, evaluations, seconds }))
  }
  return { points, failure: null }
}

function processorSeconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6
}

type Draw = (theta: Parameters) => Promise<JudgedDrawings>

/** Draws what a run is judged by: always the same prompts and noises. */
class Gallery {
  readonly #pipeline: StableDiffusion
  readonly #critic: CriticReader
  readonly #draw: Draw
  readonly #prompts: readonly string[]

  private constructor(pipeline: StableDiffusion, critic: CriticReader, prompts: readonly string[], draw: Draw) {
    this.#pipeline = pipeline
    this.#critic = critic
    this.#prompts = prompts
    this.#draw = draw
  }

  static async open(recipe: Recipe, { method, purpose, pictures: count }: RunSettings): Promise<Gallery> {
    const checkpoint = await openCheckpoint(recipe.model)
    const { adapter, sampling, threads } = recipe
    const place = { device: 'cpu' as const, ...(threads === undefined ? {} : { threads }) }
    const pipeline = await StableDiffusion.open(checkpoint, {
      ...place,
      precision: 'float32',
      batch: Math.min(32, count),
      ...latentSize(checkpoint),
      trained: { rank: adapter.rank, alpha: adapter.alpha ?? adapter.rank, target: (layer) => isTarget(adapter.targets, layer) },
    })
    const critic = await CriticReader.open(path.join(recipe.model, 'critic.onnx'), place)
    const prompts = purpose === 'tune' ? handPrompts().train : await heldOutPrompts()
    const template = method.template ? { template: { template: await loadTemplate('starter-hand'), slots: {} } } : {}
    const pictures = plannedPictures(prompts, count, purpose === 'tune' ? TUNING_SEED : EVALUATION_SEED).map((picture) => ({
      ...picture, plan: { prompt: prompts[picture.prompt] ?? '', guidance: sampling.guidance, ...template },
    }))
    const chain = samplingChain(pipeline.scheduler, { sampler: 'ddim', steps: sampling.steps, eta: sampling.eta })
    return new Gallery(pipeline, critic, prompts, (theta) => judgeDrawings({ pipeline, critic, chain, theta, pictures }))
  }

  async judge(theta: Parameters, spent: Pick<RunPoint, 'updates' | 'evaluations' | 'seconds'>): Promise<RunPoint> {
    const { five, score, agreement, wellFormed, background, diversity } =
      summariseArm({ label: '', ...(await this.#draw(theta)) }, this.#prompts)
    return {
      ...spent,
      five: five.share,
      score: score.value,
      agreement: agreement.share,
      wellFormed: wellFormed.share,
      background: background.share,
      diversity: diversity.value,
    }
  }

  async dispose(): Promise<void> {
    await this.#critic.dispose()
    await this.#pipeline.dispose()
  }
}
