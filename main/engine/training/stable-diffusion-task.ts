/** Fine-tuning of a Stable Diffusion checkpoint's adapter by a reward: the training task of a recipe. */
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { readAdapter } from '../adapters/adapter-file.ts'
import { ddimCoefficients } from '../diffusion/ddim.ts'
import { noiseSchedule } from '../diffusion/noise-schedule.ts'
import { ddimTimesteps } from '../diffusion/timesteps.ts'
import type { PictureSize } from '../pictures/picture-file.ts'
import { readPicture } from '../pictures/read-picture.ts'
import type { StableDiffusion } from '../pipeline/stable-diffusion.ts'
import type { Device } from '../protocol.ts'
import { Random } from '../random/random.ts'
import type { MixturePart } from '../rewards/mixture.ts'
import { openReward } from '../rewards/open-reward.ts'
import { createAlgorithm, type AlgorithmSettings, type ChainFacts } from '../rlr/algorithm.ts'
import { deviceMemory } from '../runtime/memory.ts'
import { emphasisPerStep } from '../templates/stages.ts'
import { loadTemplate } from '../templates/load-template.ts'
import { parseTemplate, type Template } from '../templates/template.ts'
import { chainTask, type ChainModel } from './chain-task.ts'
import {
  availableBytes, evaluationsPerBatch, recomputationKey, refuseTooLarge, refuseUpdateTooLarge, type Evaluations, type MemoryKey,
} from './preflight.ts'
import { algorithmSettings, type Recipe } from './recipe.ts'
import { openRecipePipeline } from './recipe-pipeline.ts'
import { StableDiffusionChain } from './stable-diffusion-chain.ts'
import type { TrainingTask } from './training-task.ts'
import { bytesAtLeast, decoderBytes, unetBytes } from './update-memory.ts'

export interface StableDiffusionTaskOptions {
  readonly device: Device
  /** Parts of the reward that no recipe can spell: functions. */
  readonly rewards?: readonly MixturePart[]
}

/** A recipe's chain and reward, and how it is to be trained. */
export interface OpenChain {
  readonly model: ChainModel
  readonly settings: AlgorithmSettings
  readonly facts: ChainFacts
}

/** The training task of a recipe. Throws as `openStableDiffusionChain` does. */
export async function openStableDiffusionTask(recipe: Recipe, options: StableDiffusionTaskOptions): Promise<TrainingTask> {
  const { model, settings } = await openStableDiffusionChain(recipe, options)
  return chainTask(model, createAlgorithm(settings), { weight: recipe.penalties.drift, measure: recipe.penalties.measure })
}

/**
 * Opens everything a recipe needs, with `prompts` given as a list. Throws before anything is computed when model, reward, template
 * or adapter are unusable or do not fit one another.
 */
export async function openStableDiffusionChain(recipe: Recipe, { device, rewards = [] }: StableDiffusionTaskOptions): Promise<OpenChain> {
  const checkpoint = await openCheckpoint(recipe.model)
  const pipeline = await openRecipePipeline(checkpoint, recipe, device)
  try {
    const memory = await deviceMemory(device)
    const held = bytesAtLeast(checkpoint, recipe, device, pipeline.layout.size)
    refuseTooLarge(held, memory?.totalBytes ?? null, device)
    const { latentHeight, latentWidth } = pipeline.options
    const height = latentHeight * pipeline.pixelsPerLatent
    const width = latentWidth * pipeline.pixelsPerLatent
    const template = recipe.template === undefined ? undefined : await templateOf(recipe.template.use)
    const timesteps = ddimTimesteps(pipeline.scheduler, recipe.sampling.steps)
    const coefficients = ddimCoefficients(noiseSchedule(pipeline.scheduler), timesteps, recipe.sampling.eta, checkpoint.predictionType)
    const settings = algorithmSettings(recipe, () =>
      template === undefined ? timesteps.map(() => 1) : emphasisPerStep(template, timesteps, pipeline.scheduler.numTrainTimesteps))
    const activations = activationBytes(checkpoint, pipeline, evaluationsPerBatch(settings, timesteps.length, recipe.penalties.drift > 0))
    refuseUpdateTooLarge({ held, activations }, await availableBytes(device), device, memoryKeys(recipe, { width, height }))
    const reward = await openReward(recipe.reward, {
      device,
      precision: recipe.precision,
      batch: pipeline.options.batch,
      height,
      width,
      readPicture,
      ...(recipe.threads === undefined ? {} : { threads: recipe.threads }),
    }, rewards)
    try {
      const facts = { coefficients, differentiable: reward.gradient !== undefined }
      createAlgorithm(settings).assertPossible(facts)
      const initialTheta = recipe.adapter.start === undefined
        ? pipeline.initialTheta(new Random(recipe.seed))
        : pipeline.fromAdapter(await readAdapter(recipe.adapter.start))
      const model = new StableDiffusionChain({ recipe, pipeline, reward, template, timesteps, coefficients, settings, initialTheta })
      return { model, settings, facts }
    } catch (error) {
      await reward.dispose()
      throw error
    }
  } catch (error) {
    await pipeline.dispose()
    throw error
  }
}

/** Of all networks that an update needs: each keeps what it took once. Rewards are not known yet and come on top. */
function activationBytes(checkpoint: Checkpoint, { options }: StableDiffusion, { vjps, judgementGradients }: Evaluations): number {
  return unetBytes(checkpoint, options, vjps > 0) + decoderBytes(checkpoint, options, judgementGradients > 0)
}

function memoryKeys({ batch, recomputation }: Recipe, { width, height }: PictureSize): MemoryKey[] {
  const counts = [['batch.samplesPerPrompt', batch.samplesPerPrompt], ['batch.prompts', batch.prompts]] as const
  return [
    ...counts.filter(([, value]) => value > 1).map(([key, value]) => ({ key, value })),
    { key: 'sampling.width', value: width },
    { key: 'sampling.height', value: height },
    ...recomputationKey(recomputation),
  ]
}

function templateOf(use: NonNullable<Recipe['template']>['use']): Promise<Template> {
  return typeof use === 'string' ? loadTemplate(use) : Promise.resolve(parseTemplate(use, 'The recipe\'s template'))
}
