import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import type { SchedulerConfig } from '../../../native-models/checkpoint/scheduler-config.ts'
import type { Adapter } from '../adapters/lora.ts'
import type { ParameterLayout } from '../adapters/parameter-layout.ts'
import { STABLE_DIFFUSION_SCHEDULE } from '../diffusion/noise-schedule.ts'
import { HalfstepError } from '../errors.ts'
import { maxScoreElements } from '../networks/recomputation.ts'
import type { Device, Precision, Recomputation } from '../protocol.ts'
import type { Random } from '../random/random.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import { sameShape, type Shape } from '../tensor/shape.ts'
import { float32, zeros, type FloatTensor } from '../tensor/tensor.ts'
import { AppliedAdapters, type AppliedAdapter } from './applied-adapters.ts'
import { GuidedDenoiser, type StepConditions } from './guided-denoiser.ts'
import { PictureCodec, downscaling } from './picture-codec.ts'
import { PromptEncoder, type TextCondition } from './prompt-encoder.ts'
import { promptsAt, textsOf, type SamplePlan, type WeightedText } from './prompt-schedule.ts'
import { requireComponent } from './require-component.ts'
import { joined } from './samples.ts'
import { adapterOf, initialTheta, thetaOf, type TrainedAdapterOptions } from './trained-adapter.ts'
import { UnetNetwork, type UnetConditions } from './unet-network.ts'

export interface PipelineOptions {
  readonly device: Device
  readonly precision: Precision
  /** Samples of one UNet evaluation. */
  readonly batch: number
  readonly latentHeight: number
  readonly latentWidth: number
  /** Adapters that are applied as they are, to the text encoders too. */
  readonly adapters?: readonly AppliedAdapter[]
  /** The UNet layers to train; without them nothing has a gradient. */
  readonly trained?: TrainedAdapterOptions
  readonly recomputation?: Recomputation
  /** CPU threads; all of them by default. */
  readonly threads?: number
}

/**
 * The networks of one checkpoint on one device, for one batch and one size of latents: prompts in, predictions of the noise along
 * a chain, pictures out. Each network is compiled when it is first used.
 */
export class StableDiffusion {
  readonly checkpoint: Checkpoint
  readonly options: PipelineOptions
  /** The noise schedule; the standard one where the checkpoint has none. */
  readonly scheduler: SchedulerConfig
  /** [batch, channels, h, w] of the latents. */
  readonly latentShape: Shape
  /** Pixels per latent in each direction. */
  readonly pixelsPerLatent: number
  readonly #unet: UnetNetwork
  readonly #encoder: PromptEncoder
  readonly #codec: PictureCodec

  private constructor(checkpoint: Checkpoint, options: PipelineOptions) {
    const { device, precision, batch, latentHeight, latentWidth, trained, recomputation, threads } = options
    const place = { device, ...(threads === undefined ? {} : { threads }) }
    const unet = requireComponent(checkpoint, 'unet').config
    const applied = new AppliedAdapters(checkpoint, options.adapters ?? [])
    const shared = { ...place, precision, latentHeight, latentWidth, ...(recomputation === undefined ? {} : { recomputation }) }
    this.checkpoint = checkpoint
    this.options = options
    this.scheduler = { ...(checkpoint.scheduler ?? STABLE_DIFFUSION_SCHEDULE), predictionType: checkpoint.predictionType }
    this.latentShape = [batch, unet.inChannels, latentHeight, latentWidth]
    this.pixelsPerLatent = pixelsPerLatent(checkpoint)
    this.#encoder = new PromptEncoder(checkpoint, { ...place, precision, adapters: applied })
    this.#codec = new PictureCodec(checkpoint, { ...shared, differentiable: trained !== undefined })
    this.#unet = new UnetNetwork(checkpoint, {
      ...shared,
      batch,
      compute: precision,
      maxScoreElements: maxScoreElements(device),
      textLength: requireComponent(checkpoint, 'textEncoder').config.maxPositions,
      applied,
      ...(trained === undefined ? {} : { trained }),
    })
  }

  /**
   * Builds what is needed of a checkpoint. Throws `model.missing-component`, `config.unsupported` for UNets that take more than
   * latents (inpainting), `adapter.mismatch`, `recipe.impossible` when the trained layers do not exist or the latent size does not
   * go through the UNet, and what building a network throws.
   */
  static async open(checkpoint: Checkpoint, options: PipelineOptions): Promise<StableDiffusion> {
    const { config } = requireComponent(checkpoint, 'unet')
    if (config.inChannels !== config.outChannels) {
      const channels = `takes ${config.inChannels} channels and gives ${config.outChannels}`
      const message = `The UNet of ${checkpoint.path} ${channels}: it is made for inpainting.`
      throw new HalfstepError('config.unsupported', message, 'Use the ordinary version of the model.', { file: checkpoint.path })
    }
    requireSize(options, 2 ** (config.downBlocks.length - 1), pixelsPerLatent(checkpoint))
    return new StableDiffusion(checkpoint, options)
  }

  /** What a person should know about prompts that were encoded, one sentence each. Grows. */
  get notes(): readonly string[] {
    return this.#encoder.notes
  }

  /** Where the trained adapter's matrices lie in θ; of size 0 without one. */
  get layout(): ParameterLayout {
    return this.#unet.layout
  }

  /** A fresh θ, under which the adapter changes nothing yet. */
  initialTheta(random: Random): Parameters {
    return initialTheta(this.layout, random)
  }

  /** θ as an adapter. */
  toAdapter(theta: Parameters): Adapter {
    return adapterOf(this.layout, theta)
  }

  /** An adapter as θ. Throws `adapter.mismatch` unless it adapts just the trained layers in a rank that fits. */
  fromAdapter(adapter: Adapter): Parameters {
    return thetaOf(this.layout, adapter)
  }

  /**
   * What the UNet is told about each text; null stands for no text at all. Results are kept, and the text encoders are in memory
   * only while there is something new.
   */
  async encodePrompts(texts: readonly (string | null)[]): Promise<TextCondition[]> {
    const conditions = await this.#encoder.encode(texts.map((text) => text ?? ''))
    return conditions.map((condition, i) => (texts[i] === null && this.checkpoint.family === 'sdxl' ? zeroCondition(condition) : condition))
  }

  /** Encodes all prompts of some plans in one go; `denoiser` then finds them done. */
  async prepare(plans: readonly SamplePlan[], timesteps: readonly number[]): Promise<void> {
    await this.encodePrompts([null, ...new Set(plans.flatMap((plan) => textsOf(plan, this.#fractions(timesteps))))])
  }

  /**
   * e(x_t) for a batch of samples along a chain, with guidance and each step's own prompts. All prompts are encoded here.
   * @param samples as many as the batch @param timesteps noisiest first
   */
  async denoiser(samples: readonly SamplePlan[], timesteps: readonly number[]): Promise<Denoiser> {
    const { batch } = this.options
    if (samples.length !== batch) throw new RangeError(`${samples.length} samples for a batch of ${batch}`)
    const fractions = this.#fractions(timesteps)
    const texts = [null, ...new Set(samples.flatMap((plan) => textsOf(plan, fractions)))]
    const encoded = await this.encodePrompts(texts)
    const conditions = new Map(texts.map((text, i) => [text, encoded[i]!]))
    this.#requireWidths(encoded[0]!)

    return new GuidedDenoiser(this.#unet, (position): StepConditions => {
      const prompts = samples.map((plan) => promptsAt(plan, fractions[position] ?? 0))
      return {
        timestep: timesteps[position] ?? 0,
        conditional: this.#unetConditions(prompts.map(({ conditional }) => mixed(conditional, conditions))),
        unconditional: this.#unetConditions(prompts.map(({ unconditional }) => mixed(unconditional, conditions))),
        guidance: prompts.map(({ guidance }) => guidance),
      }
    })
  }

  /** Latents [b, c, h, w], any b → pictures [b, 3, H, W], RGB, in [0, 1] but for what overshoots. */
  decode(latents: FloatTensor): Promise<FloatTensor> {
    return this.#codec.decode(latents)
  }

  /** dL/dlatents for dL/dpictures of the same latents. Only with something to train. */
  decodeGradient(latents: FloatTensor, dPictures: FloatTensor): Promise<FloatTensor> {
    return this.#codec.decodeGradient(latents, dPictures)
  }

  /** Pictures [b, 3, H, W] in [0, 1], of the pipeline's size → latents [b, c, h, w]: the mean of their distribution. */
  encode(pictures: FloatTensor): Promise<FloatTensor> {
    return this.#codec.encode(pictures)
  }

  /** Frees what the networks hold. */
  async dispose(): Promise<void> {
    await this.#unet.dispose()
    await this.#codec.dispose()
  }

  #fractions(timesteps: readonly number[]): number[] {
    return timesteps.map((timestep) => timestep / this.scheduler.numTrainTimesteps)
  }

  /** The UNet's inputs for a batch. SDXL is also told the size and crop: as large as what is made, nothing cut off. */
  #unetConditions(samples: readonly TextCondition[]): UnetConditions {
    const context = joined(samples.map((sample) => sample.context))
    const { text_embeds: embeds, time_ids: ids } = this.#unet.model.inputs
    if (embeds === undefined || ids === undefined) return { encoder_hidden_states: context }
    const { latentHeight, latentWidth } = this.options
    const [height, width] = [latentHeight * this.pixelsPerLatent, latentWidth * this.pixelsPerLatent]
    return {
      encoder_hidden_states: context,
      text_embeds: joined(samples.flatMap(({ pooled }) => pooled ?? [])),
      time_ids: float32(ids.shape, samples.flatMap(() => [height, width, 0, 0, height, width])),
    }
  }

  /** Refuses text encoders that do not belong to the UNet. */
  #requireWidths({ context, pooled }: TextCondition): void {
    const { encoder_hidden_states: takes, text_embeds: embeds } = this.#unet.model.inputs
    const fits = sameShape(takes.shape.slice(1), context.shape.slice(1))
      && (embeds === undefined || (pooled !== undefined && sameShape(embeds.shape.slice(1), pooled.shape.slice(1))))
    if (fits) return
    const message = `The text encoders of ${this.checkpoint.path} give ${context.shape[1]} × ${context.shape[2]} numbers, `
      + `where its UNet takes ${takes.shape[1]} × ${takes.shape[2]}.`
    throw new HalfstepError('config.unsupported', message, 'Use text encoders and UNet of the same model.', { file: this.checkpoint.path })
  }
}

/** Pixels per latent of a checkpoint; 8 where it has no VAE to tell. */
export function pixelsPerLatent({ components }: Checkpoint): number {
  return components.vae === undefined ? 8 : downscaling(components.vae.config)
}

/** The UNet halves the latents so often that they must be divisible by `factor`. */
function requireSize({ latentHeight, latentWidth }: PipelineOptions, factor: number, pixels: number): void {
  for (const [key, size] of [['height', latentHeight], ['width', latentWidth]] as const) {
    if (Number.isInteger(size) && size > 0 && size % factor === 0) continue
    const message = `A picture with a ${key} of ${size * pixels} pixels is not possible for this model.`
    throw new HalfstepError('recipe.impossible', message, `Set ${key} to a multiple of ${factor * pixels}.`, { key, value: size * pixels })
  }
}

function zeroCondition({ context, pooled }: TextCondition): TextCondition {
  return { context: zeros('float32', context.shape), ...(pooled === undefined ? {} : { pooled: zeros('float32', pooled.shape) }) }
}

/** The weighted mean of what the UNet is told about some texts. */
function mixed(texts: readonly WeightedText[], conditions: ReadonlyMap<string | null, TextCondition>): TextCondition {
  const parts = texts.map(({ text, weight }) => ({ condition: conditions.get(text)!, weight }))
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only.condition
  const mean = (tensors: readonly FloatTensor[]): FloatTensor => {
    const data = new Float32Array(tensors[0]?.data.length ?? 0)
    tensors.forEach((tensor, k) => tensor.data.forEach((value, i) => (data[i] = data[i]! + parts[k]!.weight * value)))
    return float32(tensors[0]?.shape ?? [0], data)
  }
  const pooled = parts.flatMap(({ condition }) => condition.pooled ?? [])
  return { context: mean(parts.map(({ condition }) => condition.context)), ...(pooled.length === 0 ? {} : { pooled: mean(pooled) }) }
}
