import { parseClipTextConfig } from '../../../native-models/checkpoint/clip-text-config.ts'
import { parseSchedulerConfig } from '../../../native-models/checkpoint/scheduler-config.ts'
import { parseUnetConfig } from '../../../native-models/checkpoint/unet-config.ts'
import { starterConfigs } from '../../../native-models/starter/configs.ts'
import type { Parameter } from '../../../native-models/module.ts'
import { noiseSchedule } from '../diffusion/noise-schedule.ts'
import type { AdamSettings } from '../network-training/adam.ts'
import { NetworkTrainer } from '../network-training/network-trainer.ts'
import { trainNetwork } from '../network-training/train-network.ts'
import { WeightVector } from '../network-training/weight-vector.ts'
import { Random } from '../random/random.ts'
import { elementCount } from '../tensor/shape.ts'
import { float32, int64, type FloatTensor, type Tensor } from '../tensor/tensor.ts'
import { denoiserLoss, type DenoiserLoss } from './denoiser-loss.ts'
import { batchIndices } from './drawings.ts'
import type { StageOptions, TrainedStage } from './stage.ts'
import { AUTOENCODER_STAGE } from './train-autoencoder.ts'

/** How long and how fast it is trained, and on how many threads, which decide how sums are rounded. */
export const DENOISER = { seed: 103, batch: 32, steps: 15_000, learningRate: 1.2e-3, captionDropout: 0.1, threads: 1 } as const

/** All that decides what it becomes. */
export const DENOISER_STAGE = `denoiser ${JSON.stringify({
  denoiser: DENOISER,
  unet: starterConfigs.unet,
  text: starterConfigs.text_encoder,
  after: AUTOENCODER_STAGE,
})}`

const ADAM: AdamSettings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxNorm: 1, averageDecay: 0.999 }

const unetConfig = parseUnetConfig(starterConfigs.unet, 'unet/config.json')
const textConfig = parseClipTextConfig(starterConfigs.text_encoder, 'text_encoder/config.json')
const scheduler = parseSchedulerConfig(starterConfigs.scheduler, 'scheduler/scheduler_config.json')

/** Latents with the captions of the drawings they are of. */
export interface CaptionedLatents {
  /** [n, c, h, w], one behind the other. */
  readonly latents: Float32Array
  /** Token ids of each caption, padded. */
  readonly captions: readonly (readonly number[])[]
  /** Token ids of the empty prompt. */
  readonly empty: readonly number[]
}

export interface TrainedDenoiser {
  readonly unet: ReadonlyMap<string, FloatTensor>
  readonly textEncoder: ReadonlyMap<string, FloatTensor>
}

/**
 * Trains UNet and text encoder together to predict v = √ᾱ ε − √(1−ᾱ) x_0 (Salimans & Ho 2022) at timesteps from all over the chain. Some
 * captions are replaced by the empty prompt, so that there is something to guide away from.
 * @returns the weights of both, by names of which they have none in common (`denoiserParts` tells them apart)
 */
export async function trainDenoiser(data: CaptionedLatents, { progressFolder, onStep, signal }: StageOptions): Promise<TrainedStage> {
  const { seed, steps, learningRate, threads } = DENOISER
  const random = new Random(seed)
  const { graph, unet, textEncoder } = lossGraph()
  // What begins at zero is the last layer alone, so that the network first predicts nothing.
  const weights = WeightVector.initial([...unet, ...textEncoder], random, (name) => name.startsWith('conv_out.'))
  const trainer = await NetworkTrainer.create(graph, weights, { device: 'cpu', threads, loss: 'loss', adam: ADAM })
  try {
    const losses = await trainNetwork(trainer, {
      stage: DENOISER_STAGE,
      steps,
      learningRate,
      schedule: { kind: 'cosine', warmUp: 200, floor: 0.01 },
      feeds: (step) => batchOf(data, random, step),
      progressFile: `${progressFolder}/denoiser.safetensors`,
      onStep: (step, loss) => onStep?.({ stage: 'denoiser', step, steps, loss }),
      ...(signal === undefined ? {} : { signal }),
    })
    return { weights: trainer.average().tensors, losses }
  } finally {
    await trainer.dispose()
  }
}

/** Which of a trained denoiser's weights are the UNet's and which the text encoder's. */
export function denoiserParts(weights: ReadonlyMap<string, FloatTensor>): TrainedDenoiser {
  const { unet, textEncoder } = lossGraph()
  return { unet: pick(weights, unet), textEncoder: pick(weights, textEncoder) }
}

function lossGraph(): DenoiserLoss {
  const [size = 8] = unetConfig.sampleSize ?? []
  return denoiserLoss(unetConfig, textConfig, DENOISER.batch, size)
}

function batchOf({ latents, captions, empty }: CaptionedLatents, random: Random, step: number): Readonly<Record<string, Tensor>> {
  const { batch, captionDropout } = DENOISER
  const [size = 8] = unetConfig.sampleSize ?? []
  const shape = [batch, unetConfig.inChannels, size, size]
  const each = elementCount(shape) / batch
  const { alphaBars } = SCHEDULE
  const indices = batchIndices(random, step, batch, captions.length)
  // One in each of as many equal stretches of time, which steadies the loss at no cost (Kingma et al. 2021, section 5.1).
  const timesteps = random.uniform('timestep', [step], batch).map((u, i) => Math.floor(((i + u) / batch) * scheduler.numTrainTimesteps))
  const dropped = random.uniform('dropout', [step], batch).map((u) => u < captionDropout)
  const noise = random.normal('stepNoise', [step], shape).data
  const sample = new Float32Array(noise.length)
  const target = new Float32Array(noise.length)
  for (let i = 0; i < batch; i++) {
    const alphaBar = alphaBars[timesteps[i]!]!
    const [signal, spread] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)]
    for (let k = 0; k < each; k++) {
      const [x, e] = [latents[indices[i]! * each + k]!, noise[i * each + k]!]
      sample[i * each + k] = signal * x + spread * e
      target[i * each + k] = signal * e - spread * x
    }
  }
  const ids = indices.flatMap((index, i) => [...(dropped[i] === true ? empty : captions[index]!)])
  return {
    sample: float32(shape, sample),
    target: float32(shape, target),
    timestep: float32([batch], timesteps),
    input_ids: int64([batch, textConfig.maxPositions], ids),
  }
}

const SCHEDULE = noiseSchedule(scheduler)

function pick(weights: ReadonlyMap<string, FloatTensor>, parameters: readonly Parameter[]): ReadonlyMap<string, FloatTensor> {
  return new Map(parameters.map(({ name }) => [name, weights.get(name)!]))
}
