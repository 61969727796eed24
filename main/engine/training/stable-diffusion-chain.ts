/** A recipe's chain of denoising steps, whose pictures its reward judges: what the algorithms train. */
import { join } from 'node:path'
import { replaceFile, writeAll } from '../../../native-models/weights/replace-file.ts'
import { writeAdapter } from '../adapters/adapter-file.ts'
import type { StepCoefficients } from '../diffusion/ddim.ts'
import { encodePng } from '../pictures/png.ts'
import type { SamplePlan } from '../pipeline/prompt-schedule.ts'
import type { StableDiffusion } from '../pipeline/stable-diffusion.ts'
import { samplesOf } from '../pipeline/samples.ts'
import type { TrainingCost } from '../protocol.ts'
import { Random } from '../random/random.ts'
import type { Mixture } from '../rewards/mixture.ts'
import type { AlgorithmSettings } from '../rlr/algorithm.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import { rollOut, type ChainNoise } from '../rlr/rollout.ts'
import { deviceMemory, peakMemory } from '../runtime/memory.ts'
import type { Template } from '../templates/template.ts'
import type { ChainBatch, ChainModel } from './chain-task.ts'
import type { FileSystem } from './file-system.ts'
import { JudgedPictures } from './judged-pictures.ts'
import { PortionedDenoiser } from './portioned-denoiser.ts'
import { evaluationsPerBatch, secondsPerUpdate } from './preflight.ts'
import { promptsOfBatch } from './prompt-batches.ts'
import type { Recipe } from './recipe.ts'
import { economyOf, openRecipePipeline, type Economy } from './recipe-pipeline.ts'
import type { Draw } from './training-task.ts'

export interface ChainParts {
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

export class StableDiffusionChain implements ChainModel {
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
    const lean = await openRecipePipeline(checkpoint, recipe, device, economy)
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
