/** Fine-tuning of a Stable Diffusion checkpoint's adapter by a reward: the training task of a recipe. */
import { join } from 'node:path'
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { replaceFile, writeAll } from '../../../native-models/weights/replace-file.ts'
import { allEntries } from '../../../native-models/weights/weight-source.ts'
import { readAdapter, writeAdapter } from '../adapters/adapter-file.ts'
import { ddimCoefficients, type StepCoefficients } from '../diffusion/ddim.ts'
import { noiseSchedule } from '../diffusion/noise-schedule.ts'
import { ddimTimesteps } from '../diffusion/timesteps.ts'
import type { PictureSize } from '../pictures/picture-file.ts'
import { encodePng } from '../pictures/png.ts'
import { readPicture } from '../pictures/read-picture.ts'
import type { SamplePlan } from '../pipeline/prompt-schedule.ts'
import { requireComponent } from '../pipeline/require-component.ts'
import { pixelsPerLatent, StableDiffusion } from '../pipeline/stable-diffusion.ts'
import { samplesOf } from '../pipeline/samples.ts'
import type { Device, Recomputation, TrainingCost } from '../protocol.ts'
import { Random } from '../random/random.ts'
import type { Mixture, MixturePart } from '../rewards/mixture.ts'
import { openReward } from '../rewards/open-reward.ts'
import { createAlgorithm, type AlgorithmSettings, type ChainFacts } from '../rlr/algorithm.ts'
import { mean } from '../rlr/batch-arithmetic.ts'
import type { ChainReward, Denoiser, Parameters } from '../rlr/denoiser.ts'
import { rollOut, type ChainNoise } from '../rlr/rollout.ts'
import { deviceMemory, peakMemory } from '../runtime/memory.ts'
import { emphasisPerStep } from '../templates/stages.ts'
import { loadTemplate } from '../templates/load-template.ts'
import { parseTemplate, type Template } from '../templates/template.ts'
import { elementCount } from '../tensor/shape.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { isTarget } from './adapter-targets.ts'
import { chainTask, type ChainBatch, type ChainModel } from './chain-task.ts'
import type { FileSystem } from './file-system.ts'
import { NotFinite } from './not-finite.ts'
import { PortionedDenoiser } from './portioned-denoiser.ts'
import {
  availableBytes, evaluationsPerBatch, recomputationKey, refuseTooLarge, refuseUpdateTooLarge, secondsPerUpdate,
  type Evaluations, type MemoryKey,
} from './preflight.ts'
import { promptsOfBatch } from './prompt-batches.ts'
import { algorithmSettings, type Recipe } from './recipe.ts'
import type { Draw, TrainingTask } from './training-task.ts'
import { decoderBytes, unetBytes } from './update-memory.ts'

export interface StableDiffusionTaskOptions {
  readonly device: Device
  /** Parts of the reward that no recipe can spell: functions. */
  readonly rewards?: readonly MixturePart[]
}

/** Latent size of models whose config does not tell. */
export const USUAL_SIZE: Readonly<Record<Checkpoint['family'], number>> = { sd1: 64, sd2: 64, sdxl: 128 }

/** Float32 vectors of θ's size that a run holds: θ, gradient, two moments, average, and the next θ and moments of an update. */
const VECTORS = 8

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
  const pipeline = await openPipeline(checkpoint, recipe, device)
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

/** What can be varied in how a recipe is computed: it changes what it costs, and results by rounding only. */
interface Economy {
  /** Samples that go through the UNet at once. */
  readonly batch: number
  readonly recomputation: Recomputation
}

function economyOf({ batch, recomputation }: Recipe): Economy {
  return { batch: batch.prompts * batch.samplesPerPrompt, recomputation }
}

async function openPipeline(
  checkpoint: Checkpoint,
  recipe: Recipe,
  device: Device,
  economy: Economy = economyOf(recipe),
): Promise<StableDiffusion> {
  const { sampling, adapter, precision, threads } = recipe
  const usual = USUAL_SIZE[checkpoint.family]
  const [height, width] = requireComponent(checkpoint, 'unet').config.sampleSize ?? [usual, usual]
  const pixels = pixelsPerLatent(checkpoint)
  requireComponent(checkpoint, 'vae')
  return StableDiffusion.open(checkpoint, {
    device,
    precision,
    ...economy,
    latentHeight: sampling.height === undefined ? height : sampling.height / pixels,
    latentWidth: sampling.width === undefined ? width : sampling.width / pixels,
    trained: { rank: adapter.rank, alpha: adapter.alpha ?? adapter.rank, target: (path) => isTarget(adapter.targets, path) },
    ...(threads === undefined ? {} : { threads }),
  })
}

/** What must be in memory whatever happens: the weights that every update needs, and θ with what the optimizer keeps. */
export function bytesAtLeast(
  { components }: Checkpoint,
  { precision }: Pick<Recipe, 'precision'>,
  device: Device,
  parameters: number,
): number {
  const entries = [components.unet, components.vae].flatMap((component) => (component === undefined ? [] : allEntries(component.weights)))
  // On the CPU weights stay mapped from their files, in the type they have there.
  const perWeight = precision === 'float16' ? 2 : 4
  const weights = entries.reduce((sum, { shape, byteLength }) => sum + (device === 'cpu' ? byteLength : perWeight * elementCount(shape)), 0)
  return weights + VECTORS * 4 * parameters
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

interface ChainParts {
  readonly recipe: Recipe
  /** What the run begins with. */
  readonly pipeline: StableDiffusion
  readonly reward: Mixture
  readonly template: Template | undefined
  /** Noisiest first. */
  readonly timesteps: readonly number[]
  readonly coefficients: readonly StepCoefficients[]
  readonly settings: AlgorithmSettings
  readonly initialTheta: Parameters
}

class StableDiffusionChain implements ChainModel {
  readonly #parts: ChainParts
  readonly #random: Random
  readonly #untouchedReward: unknown
  #pipeline: StableDiffusion

  constructor(parts: ChainParts) {
    this.#parts = parts
    this.#pipeline = parts.pipeline
    this.#random = new Random(parts.recipe.seed)
    this.#untouchedReward = parts.reward.state
  }

  get parameterCount(): number {
    return this.#pipeline.layout.size
  }

  get rewardParts(): readonly string[] {
    return this.#parts.reward.partNames
  }

  get rewardWeights(): Readonly<Record<string, number>> {
    return this.#parts.reward.weights
  }

  initialTheta(): Parameters {
    return this.#parts.initialTheta.slice()
  }

  async batch({ index, theta }: Draw): Promise<ChainBatch> {
    const { recipe, reward, coefficients } = this.#parts
    const { prompts: count, samplesPerPrompt } = recipe.batch
    const chosen = promptsOfBatch(this.#prompts, count, index, this.#random)
    const prompts = chosen.flatMap((prompt) => Array.from({ length: samplesPerPrompt }, () => prompt))
    const judged = new JudgedPictures(this.#pipeline, reward, prompts)
    const context = {
      denoiser: await this.#denoiser(prompts.map((prompt) => this.#plan(prompt))),
      coefficients,
      reward: judged.reward,
      noise: this.#noise('startingNoise', 'stepNoise', index),
      groups: prompts.map((_, i) => Math.floor(i / samplesPerPrompt)),
      theta,
      random: this.#random,
      update: index,
    }
    const finish = () => {
      reward.settle()
      return judged.parts
    }
    return { context, finish }
  }

  setRewardWeight(reward: string, weight: number): void {
    this.#parts.reward.setWeight(reward, weight)
  }

  state(): unknown {
    return this.#parts.reward.state
  }

  restore(state: unknown): void {
    this.#parts.reward.restore(state ?? this.#untouchedReward)
  }

  async exportAdapter(theta: Parameters, path: string, files: FileSystem): Promise<void> {
    const { recipe } = this.#parts
    const pipeline = this.#pipeline
    const date = recipe.date === undefined ? {} : { date: new Date(recipe.date) }
    await writeAdapter(path, pipeline.toAdapter(theta), { format: 'kohya', family: pipeline.checkpoint.family, files, ...date })
  }

  /** The first prompts, always from the same noise, so that pictures of different updates can be compared. */
  async sample(theta: Parameters, update: number, folder: string, files: FileSystem): Promise<string[]> {
    const { recipe, coefficients } = this.#parts
    const { batch } = economyOf(recipe)
    const paths: string[] = []
    for (let first = 0; first < recipe.samples.count; first += batch) {
      const plans = Array.from({ length: batch }, (_, i) => this.#plan(this.#prompts[(first + i) % this.#prompts.length] ?? ''))
      const denoiser = await this.#denoiser(plans)
      const noise = this.#noise('sample', 'sample', first)
      const { x0 } = await rollOut(denoiser, coefficients, noise, () => theta)
      const pictures = samplesOf(await this.#pipeline.decode(x0)).slice(0, recipe.samples.count - first)
      for (const [i, picture] of pictures.entries()) {
        const path = join(folder, `${String(update).padStart(6, '0')}-${first + i}.png`)
        const png = await encodePng(picture)
        await replaceFile(path, (file) => writeAll(file, png), files)
        paths.push(path)
      }
    }
    return paths
  }

  /** From one evaluation of each kind, which also compiles everything. The second of each is timed. */
  async estimate(): Promise<TrainingCost> {
    const { recipe, coefficients, settings, timesteps, reward } = this.#parts
    const theta = this.initialTheta()
    const { context } = await this.batch({ index: 0, theta })
    const x = context.noise.start()
    const judge = context.reward
    const weights = new Float64Array(context.groups.length).fill(1 / context.groups.length)
    const evaluations = evaluationsPerBatch(settings, timesteps.length, recipe.penalties.drift > 0)
    // A black box may be a person, who is not to be asked for nothing.
    const judgement = judge.gradient === undefined ? () => this.#pipeline.decode(x) : () => judge.value(x)
    const seconds = {
      forwards: await timed(() => context.denoiser.predict(coefficients.length - 1, x, theta)),
      vjps: evaluations.vjps === 0 ? 0 : await timed(() => context.denoiser.vjp(coefficients.length - 1, x, theta, x)),
      judgements: evaluations.judgements === 0 ? 0 : await timed(judgement),
      judgementGradients: evaluations.judgementGradients === 0 ? 0 : await timed(() => judge.gradient?.(x, weights)),
    }
    reward.discard()
    return {
      memoryBytes: await this.peakMemory(),
      secondsPerUpdate: secondsPerUpdate(evaluations, seconds, recipe.batch.accumulation),
    }
  }

  async peakMemory(): Promise<number | null> {
    const { device } = this.#pipeline.options
    return device === 'cpu' ? peakMemory() : ((await deviceMemory(device))?.usedBytes ?? null)
  }

  async dispose(): Promise<void> {
    await this.#parts.reward.dispose()
    await this.#pipeline.dispose()
  }

  /** Half of the samples at once, and blocks recomputed. */
  async needLess(): Promise<string | undefined> {
    const { recipe } = this.#parts
    const { checkpoint, options: { device, batch } } = this.#pipeline
    const economy: Economy = { batch: halfOf(batch), recomputation: 'blocks' }
    if (economy.batch === batch && recipe.recomputation === 'blocks') return undefined
    const lean = await openPipeline(checkpoint, recipe, device, economy)
    await this.#pipeline.dispose()
    this.#pipeline = lean
    return economy.batch === batch ? 'blocks recomputed' : `blocks recomputed and ${economy.batch} of ${batch} samples at a time`
  }

  /** For a whole batch, whatever number of samples goes through the UNet at once. */
  async #denoiser(plans: readonly SamplePlan[]): Promise<Denoiser> {
    const { timesteps } = this.#parts
    const { batch } = this.#pipeline.options
    if (plans.length === batch) return this.#pipeline.denoiser(plans, timesteps)
    await this.#pipeline.prepare(plans, timesteps)
    const portions: Denoiser[] = []
    for (let first = 0; first < plans.length; first += batch) {
      portions.push(await this.#pipeline.denoiser(plans.slice(first, first + batch), timesteps))
    }
    return new PortionedDenoiser(portions, batch)
  }

  get #prompts(): readonly string[] {
    const { prompts } = this.#parts.recipe
    return Array.isArray(prompts) ? prompts : []
  }

  #plan(prompt: string): SamplePlan {
    const { recipe, template } = this.#parts
    return {
      prompt,
      guidance: recipe.sampling.guidance,
      ...(recipe.negative === undefined ? {} : { negative: recipe.negative }),
      ...(template === undefined ? {} : { template: { template, slots: recipe.template?.slots ?? {} } }),
    }
  }

  #noise(start: 'startingNoise' | 'sample', step: 'stepNoise' | 'sample', index: number): ChainNoise {
    const shape = [economyOf(this.#parts.recipe).batch, ...this.#pipeline.latentShape.slice(1)]
    // Place 0 of the second index is the start, so that both kinds of noise may share a stream.
    return {
      start: () => this.#random.normal(start, [index, 0], shape),
      step: (position) => this.#random.normal(step, [index, position + 1], shape),
    }
  }
}

/** The reward of latents, by way of their pictures, and what its parts said of the first ones it was asked about. */
class JudgedPictures {
  readonly #pipeline: StableDiffusion
  readonly #mixture: Mixture
  readonly #prompts: readonly string[]
  #parts: Readonly<Record<string, number>> | undefined

  constructor(pipeline: StableDiffusion, mixture: Mixture, prompts: readonly string[]) {
    this.#pipeline = pipeline
    this.#mixture = mixture
    this.#prompts = prompts
  }

  /** Means by part, as the rewards gave them. */
  get parts(): Readonly<Record<string, number>> {
    return this.#parts ?? {}
  }

  get reward(): ChainReward {
    const gradient = this.#mixture.gradient
    const value = async (x0: FloatTensor): Promise<Float64Array> => {
      const values = await this.#mixture.evaluate(await this.#pictures(x0), this.#prompts)
      this.#keepParts()
      return values
    }
    if (gradient === undefined) return { value }
    return {
      value,
      gradient: async (x0, weights) => {
        const { values, dPictures } = await gradient(await this.#pictures(x0), this.#prompts, weights)
        this.#keepParts()
        return { values, dx0: await this.#pipeline.decodeGradient(x0, dPictures) }
      },
    }
  }

  async #pictures(x0: FloatTensor): Promise<FloatTensor> {
    const pictures = await this.#pipeline.decode(x0)
    if (!pictures.data.every(Number.isFinite)) throw new NotFinite('a decoded picture')
    return pictures
  }

  /** Later ones are of perturbed copies. */
  #keepParts(): void {
    this.#parts ??= Object.fromEntries(this.#mixture.latest.map(({ name, raw }) => [name, mean(raw)]))
  }
}

/** The largest number of samples below that many which divides them into equal portions; 1 for 1. */
function halfOf(batch: number): number {
  let portion = Math.max(1, Math.floor(batch / 2))
  while (batch % portion !== 0) portion--
  return portion
}

/** Seconds of the second of two runs: the first one also compiles. */
async function timed(work: () => Promise<unknown> | undefined): Promise<number> {
  await work()
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
