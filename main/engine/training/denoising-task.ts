/** Supervised fine-tuning on pictures with captions: denoising, the way the model itself was trained. */
import type { PredictionType } from '../../../native-models/checkpoint/scheduler-config.ts'
import { HalfstepError } from '../errors.ts'
import type { TrainingCost } from '../protocol.ts'
import { Random } from '../random/random.ts'
import type { Apply } from '../rlr/algorithm.ts'
import { addTo, mean, times } from '../rlr/batch-arithmetic.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { meanSquaredError, minSnrWeight, noised, predictionTarget, withOffset } from './denoising-loss.ts'
import type { FileSystem } from './file-system.ts'
import { requireFinite } from './not-finite.ts'
import { batchAt } from './picture-batches.ts'
import { NOTHING_LEARNED, type Draw, type TaskNote, type TaskState, type TaskSummary, type TrainingTask } from './training-task.ts'

/** A picture as it is trained on. */
export interface Example {
  /** x_0 [1, c, h, w] */
  readonly latent: FloatTensor
  readonly caption: string
}

/** Everything of one size. */
export interface Bucket {
  /** At least one. */
  readonly pictures: readonly Example[]
  /** Of what the model is to keep; none when nothing is. */
  readonly priors: readonly Example[]
}

/** A model that predicts noise, with what it is to be trained on. */
export interface DenoisingModel {
  readonly parameterCount: number
  /** ᾱ of every training timestep. */
  readonly alphaBars: Float64Array
  readonly predictionType: PredictionType
  /** What a person should know about what it is trained on. */
  readonly notes: readonly TaskNote[]
  initialTheta(): Parameters
  /** The same in every call; the first may take long. */
  buckets(): Promise<readonly Bucket[]>
  /** e(x_t) for one latent of a bucket's size, as a chain of one step. */
  denoiser(bucket: number, caption: string, timestep: number): Promise<Denoiser>
  exportAdapter(theta: Parameters, path: string, files: FileSystem): Promise<void>
  sample(theta: Parameters, update: number, folder: string, files: FileSystem): Promise<string[]>
  peakMemory(): Promise<number | null>
  /** As a training task's. */
  needLess?(): Promise<string | undefined>
  dispose(): Promise<void>
}

export interface DenoisingSettings {
  readonly seed: number
  /** Pictures of a batch. */
  readonly pictures: number
  /** Batches per update, for the estimate of its time. */
  readonly accumulation: number
  /** What is to be kept; null for nothing. */
  readonly prior: {
    /** Beside those of a batch. */
    readonly pictures: number
    readonly weight: number
  } | null
  readonly noiseOffset: number
  /** γ of min-SNR; null for no weighting. */
  readonly minSnrGamma: number | null
  /** Share of pictures that are shown without their caption, so that guidance has something to compare with. */
  readonly captionDropout: number
}

/**
 * An update maximises
 *
 *   J = − mean_pictures w(t) mean (e(x_t, caption; θ) − target)² − priorWeight · the same over the priors
 *
 * with a timestep and noise of its own for each picture. Pictures go through the network one at a time, which keeps memory at that
 * of one. What is reported as a picture's reward is its own term, −loss.
 */
export class DenoisingTask implements TrainingTask {
  readonly rewardParts: readonly string[] = []
  readonly #model: DenoisingModel
  readonly #settings: DenoisingSettings
  readonly #random: Random

  constructor(model: DenoisingModel, settings: DenoisingSettings) {
    this.#model = model
    this.#settings = settings
    this.#random = new Random(settings.seed)
  }

  get parameterCount(): number {
    return this.#model.parameterCount
  }

  get notes(): readonly TaskNote[] {
    return this.#model.notes
  }

  initialTheta(): Parameters {
    return this.#model.initialTheta()
  }

  async update(draw: Draw, apply: Apply): Promise<TaskSummary> {
    const { prior } = this.#settings
    const { bucket, pictures, priors } = await this.#batch(draw.index)
    const gradient = new Float32Array(this.parameterCount)
    const lossOf = async (examples: readonly Example[], firstPlace: number, weight: number): Promise<number[]> => {
      const losses: number[] = []
      for (const [i, example] of examples.entries()) {
        const { loss, dTheta } = await this.#learn(bucket, example, draw, firstPlace + i)
        addTo(gradient, dTheta, -weight / examples.length)
        losses.push(loss)
      }
      return losses
    }
    const losses = await lossOf(pictures, 0, 1)
    const priorLosses = await lossOf(priors, pictures.length, prior?.weight ?? 0)
    await apply(gradient)
    const count = losses.length + priorLosses.length
    return {
      rewards: Float64Array.from(losses, (loss) => -loss),
      parts: { loss: mean(losses), ...(prior === null ? {} : { 'prior loss': mean(priorLosses) }) },
      steps: [],
      cost: { forwards: count, vjps: count },
    }
  }

  /** There is nothing to change: a loss has no parts. */
  setRewardWeight(): void {}

  /** The order of pictures, their noise and all else are made from the draw. */
  state(): TaskState {
    return NOTHING_LEARNED
  }

  restore({ arrays, json }: TaskState): void {
    if (Object.keys(arrays).length === 0 && json === null) return
    const message = 'The checkpoint belongs to a run with another trainer.'
    throw new HalfstepError('run.damaged', message, 'Start the recipe again in another folder.')
  }

  exportAdapter(theta: Parameters, path: string, files: FileSystem): Promise<void> {
    return this.#model.exportAdapter(theta, path, files)
  }

  sample(theta: Parameters, update: number, folder: string, files: FileSystem): Promise<string[]> {
    return this.#model.sample(theta, update, folder, files)
  }

  /** From one picture of the first batch. It is learned twice, and the second time counts: the first one also compiles. */
  async estimate(): Promise<TrainingCost> {
    const { accumulation, pictures: size, prior } = this.#settings
    const { bucket, pictures: [example] } = await this.#batch(0)
    if (example === undefined) return { memoryBytes: null, secondsPerUpdate: null }
    const draw = { index: 0, theta: this.initialTheta() }
    await this.#learn(bucket, example, draw, 0)
    const started = performance.now()
    await this.#learn(bucket, example, draw, 0)
    const seconds = (performance.now() - started) / 1000
    const perUpdate = accumulation * (size + (prior?.pictures ?? 0))
    return { memoryBytes: await this.peakMemory(), secondsPerUpdate: perUpdate * seconds }
  }

  peakMemory(): Promise<number | null> {
    return this.#model.peakMemory()
  }

  async needLess(): Promise<string | undefined> {
    return this.#model.needLess?.()
  }

  dispose(): Promise<void> {
    return this.#model.dispose()
  }

  /** What an update sees; priors are drawn anew each time. */
  async #batch(index: number): Promise<{ readonly bucket: number } & Bucket> {
    const buckets = await this.#model.buckets()
    const { bucket, pictures } = batchAt(buckets.map((one) => one.pictures.length), this.#settings.pictures, index, this.#random)
    const { pictures: examples, priors } = buckets[bucket]!
    const drawn = this.#random.uniform('prompt', [index], priors.length === 0 ? 0 : (this.#settings.prior?.pictures ?? 0))
    return {
      bucket,
      pictures: pictures.map((i) => examples[i]!),
      priors: drawn.map((point) => priors[Math.floor(point * priors.length)]!),
    }
  }

  /** The weighted loss of one picture and its gradient. @param place in the batch: its random numbers are made from it */
  async #learn(
    bucket: number,
    { latent, caption }: Example,
    { index, theta }: Draw,
    place: number,
  ): Promise<{ readonly loss: number; readonly dTheta: Parameters }> {
    const { alphaBars, predictionType } = this.#model
    const { minSnrGamma, captionDropout } = this.#settings
    const [when = 0] = this.#random.uniform('timestep', [index, place], 1)
    const [drop = 0] = this.#random.uniform('dropout', [index, place], 1)
    const timestep = Math.floor(when * alphaBars.length)
    const alphaBar = alphaBars[timestep]!
    const noise = this.#noise(latent, index, place)
    const x = noised(latent, noise, alphaBar)
    const target = predictionTarget(latent, noise, alphaBar, predictionType)

    const denoiser = await this.#model.denoiser(bucket, drop < captionDropout ? '' : caption, timestep)
    const prediction = await denoiser.predict(0, x, theta)
    requireFinite('the prediction', prediction.data)
    const { loss, gradient } = meanSquaredError(prediction, target)
    const weight = minSnrWeight(alphaBar, minSnrGamma, predictionType)
    const { dTheta } = await denoiser.vjp(0, x, theta, times(weight, gradient))
    return { loss: weight * loss, dTheta }
  }

  /** ε, and beside it in the same stream the offset. */
  #noise({ shape }: FloatTensor, index: number, place: number): FloatTensor {
    const { noiseOffset } = this.#settings
    const noise = this.#random.normal('startingNoise', [index, 2 * place], shape)
    if (noiseOffset === 0) return noise
    return withOffset(noise, this.#random.normal('startingNoise', [index, 2 * place + 1], [shape[1] ?? 1]), noiseOffset)
  }
}
