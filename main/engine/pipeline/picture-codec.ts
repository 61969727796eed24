import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import type { VaeConfig } from '../../../native-models/checkpoint/vae-config.ts'
import { buildVaeDecoder, buildVaeEncoder } from '../../../native-models/vae.ts'
import { HalfstepError } from '../errors.ts'
import { DifferentiableNetwork, type Tensors } from '../networks/differentiable-network.ts'
import { maxScoreElements } from '../networks/recomputation.ts'
import type { Device, Precision, Recomputation } from '../protocol.ts'
import { Session } from '../runtime/session.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import { requireComponent } from './require-component.ts'
import { joined, samplesOf } from './samples.ts'

export interface PictureCodecOptions {
  readonly device: Device
  readonly threads?: number
  readonly precision: Precision
  readonly latentHeight: number
  readonly latentWidth: number
  /** Whether gradients will be asked for; without them the decoder's session is smaller. */
  readonly differentiable: boolean
  readonly recomputation?: Recomputation
}

/**
 * A checkpoint's autoencoder between the latents that its UNet works on and pictures [b, 3, H, W], RGB, in [0, 1] where nothing
 * overshoots. Pictures go through it one at a time, which keeps memory at that of one. Networks are compiled when first used.
 */
export class PictureCodec {
  readonly #checkpoint: Checkpoint
  readonly #options: PictureCodecOptions
  #decoder: Promise<DifferentiableNetwork> | undefined
  #encoder: Promise<Session> | undefined

  constructor(checkpoint: Checkpoint, options: PictureCodecOptions) {
    this.#checkpoint = checkpoint
    this.#options = options
  }

  /** Pictures of latents, not clamped: (decode(unscale(latents)) + 1) / 2. */
  async decode(latents: FloatTensor): Promise<FloatTensor> {
    const { config } = this.#vae()
    const decoder = await this.#decoding()
    const pictures: FloatTensor[] = []
    for (const sample of samplesOf(latents)) {
      const pixels = named(await decoder.forward({ latents: unscaled(sample, config) }, ['pixels']), 'pixels')
      pictures.push(float32(pixels.shape, pixels.data.map((value) => value / 2 + 0.5)))
    }
    return joined(pictures)
  }

  /** dL/dlatents for dL/dpictures. The forward pass is run again for it. */
  async decodeGradient(latents: FloatTensor, dPictures: FloatTensor): Promise<FloatTensor> {
    const { config } = this.#vae()
    const decoder = await this.#decoding()
    const upstream = samplesOf(dPictures)
    const gradients: FloatTensor[] = []
    for (const [i, sample] of samplesOf(latents).entries()) {
      const pixels = float32(upstream[i]!.shape, upstream[i]!.data.map((value) => value / 2))
      const { gradients: { latents: gradient } } = await decoder.vjp({ latents: unscaled(sample, config) }, { pixels })
      if (gradient === undefined) throw new HalfstepError('internal', 'This decoder was opened without its gradient.')
      gradients.push(perChannel(gradient, (value, channel) => value * scalingOf(config, channel).scale))
    }
    return joined(gradients)
  }

  /** Latents of pictures: the mean of the encoder's distribution, as the UNet takes them. */
  async encode(pictures: FloatTensor): Promise<FloatTensor> {
    const { config } = this.#vae()
    const encoder = await this.#encoding()
    const latents: FloatTensor[] = []
    for (const picture of samplesOf(pictures)) {
      const pixels = float32(picture.shape, picture.data.map((value) => 2 * value - 1))
      const mean = named(await encoder.run({ pixels }, ['mean']), 'mean')
      latents.push(perChannel(mean, (value, channel) => {
        const { scale, shift } = scalingOf(config, channel)
        return (value - shift) / scale
      }))
    }
    return joined(latents)
  }

  async dispose(): Promise<void> {
    const networks = [this.#decoder, this.#encoder]
    this.#decoder = undefined
    this.#encoder = undefined
    for (const network of networks) await (await network?.catch(() => undefined))?.dispose()
  }

  #vae() {
    return requireComponent(this.#checkpoint, 'vae')
  }

  /** Some autoencoders, SDXL's above all, overflow in half precision: only a config that says otherwise gets it. */
  #settings() {
    const { device, threads, precision } = this.#options
    const compute: Precision = this.#vae().config.forceUpcast ? 'float32' : precision
    return { device, ...(threads === undefined ? {} : { threads }), compute, maxScoreElements: maxScoreElements(device) }
  }

  #decoding(): Promise<DifferentiableNetwork> {
    const { latentHeight, latentWidth, differentiable, recomputation } = this.#options
    const { config, weights } = this.#vae()
    const settings = this.#settings()
    this.#decoder ??= DifferentiableNetwork.create(
      buildVaeDecoder(config, weights, { ...settings, batch: 1, latentHeight, latentWidth }).graph,
      {
        ...settings,
        ...(differentiable ? { outputs: ['pixels'], wrt: ['latents'] } : { outputs: [], wrt: [] }),
        ...(recomputation === undefined ? {} : { recomputation }),
      },
    )
    return this.#decoder
  }

  #encoding(): Promise<Session> {
    const { latentHeight, latentWidth } = this.#options
    const { config, weights } = this.#vae()
    const factor = downscaling(config)
    const settings = this.#settings()
    const size = { batch: 1, height: factor * latentHeight, width: factor * latentWidth }
    this.#encoder ??= Session.create(buildVaeEncoder(config, weights, { ...settings, ...size }).graph, settings)
    return this.#encoder
  }
}

/** Pixels per latent in each direction. */
export function downscaling({ blockOutChannels }: VaeConfig): number {
  return 2 ** (blockOutChannels.length - 1)
}

/** What the decoder takes, for latents as the UNet has them. */
function unscaled(latents: FloatTensor, config: VaeConfig): FloatTensor {
  return perChannel(latents, (value, channel) => {
    const { scale, shift } = scalingOf(config, channel)
    return value * scale + shift
  })
}

/** The decoder takes latents · scale + shift: by each channel's mean and standard deviation where they are given. */
function scalingOf(config: VaeConfig, channel: number): { scale: number; shift: number } {
  const { scalingFactor, shiftFactor = 0, latentsMean, latentsStd } = config
  if (latentsMean === undefined || latentsStd === undefined) return { scale: 1 / scalingFactor, shift: shiftFactor }
  return { scale: (latentsStd[channel] ?? 1) / scalingFactor, shift: latentsMean[channel] ?? 0 }
}

function perChannel({ shape, data }: FloatTensor, map: (value: number, channel: number) => number): FloatTensor {
  const [batch = 1, channels = 1] = shape
  const size = data.length / batch / channels
  return float32(shape, data.map((value, i) => map(value, Math.floor(i / size) % channels)))
}

function named(results: Tensors, name: string): FloatTensor {
  const tensor = results[name]
  if (tensor === undefined) throw new HalfstepError('internal', `The autoencoder gave no ${name}.`)
  return toFloat32(tensor)
}
