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
import { denoiserLoss } from './denoiser-loss.ts'
import { batchIndices } from './drawings.ts'
import type { StageOptions } from './stage.ts'

/** How long and how fast it is trained; part of what the result depends on. */
export const DENOISER = { seed: 103, batch: 32, steps: 9000, learningRate: 1.2e-3, captionDropout: 0.1 } as const

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
  readonly losses: readonly number[]
}

/**
 * Trains UNet and text encoder together to predict v = √ᾱ ε − √(1−ᾱ) x_0 (Salimans & Ho 2022) at timesteps drawn uniformly. Some
 * captions are replaced by the empty prompt, so that there is something to guide away from.
 */
export async function trainDenoiser(data: CaptionedLatents, options: StageOptions): Promise<TrainedDenoiser> {
  const { seed, batch, steps, learningRate } = DENOISER
  const [size = 8] = unetConfig.sampleSize ?? []
  const random = new Random(seed)
  const loss = denoiserLoss(unetConfig, textConfig, batch, size)
  // What begins at zero is the last layer alone, so that the network first predicts nothing.
  const weights = WeightVector.initial([...loss.unet, ...loss.textEncoder], random, (name) => name.startsWith('conv_out.'))
  const place = { device: 'cpu', ...(options.threads === undefined ? {} : { threads: options.threads }) } as const
  const trainer = await NetworkTrainer.create(loss.graph, weights, { ...place, loss: 'loss', adam: ADAM })
  try {
    const losses = await trainNetwork(trainer, {
      stage: `denoiser ${JSON.stringify({ DENOISER, config: starterConfigs.unet })}`,
      steps,
      learningRate,
      schedule: { kind: 'cosine', warmUp: 200, floor: 0.01 },
      feeds: (step) => batchOf(data, random, step),
      progressFile: `${options.progressFolder}/denoiser.safetensors`,
      onStep: (step, value) => options.onStep?.({ stage: 'denoiser', step, steps, loss: value }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    const average = trainer.average()
    return { unet: pick(average, loss.unet), textEncoder: pick(average, loss.textEncoder), losses }
  } finally {
    await trainer.dispose()
  }
}

function batchOf({ latents, captions, empty }: CaptionedLatents, random: Random, step: number): Readonly<Record<string, Tensor>> {
  const { batch, captionDropout } = DENOISER
  const [size = 8] = unetConfig.sampleSize ?? []
  const shape = [batch, unetConfig.inChannels, size, size]
  const each = elementCount(shape) / batch
  const { alphaBars } = SCHEDULE
  const indices = batchIndices(random, step, batch, captions.length)
  const timesteps = random.uniform('timestep', [step], batch).map((u) => Math.floor(u * scheduler.numTrainTimesteps))
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

function pick(weights: WeightVector, parameters: readonly Parameter[]): ReadonlyMap<string, FloatTensor> {
  return new Map(parameters.map(({ name }) => [name, weights.tensor(name)]))
}
