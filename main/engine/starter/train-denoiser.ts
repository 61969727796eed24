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
import type { StageOptions } from './stage.ts'

/** How long and how fast it is trained; part of what the result depends on. */
export const DENOISER = { seed: 103, batch: 32, steps: 9000, learningRate: 1.2e-3, captionDropout: 0.1 } as const
/** It goes on from its average at a lower rate: fingers that are not quite apart are the last thing it learns. */
export const DENOISER_REFINEMENT = { steps: 6000, learningRate: 6e-4 } as const
/** Last it sees drawings that it has not seen before: it has gone through the others forty times. */
export const DENOISER_FINISH = { seed: 105, batch: DENOISER.batch, steps: 5000, learningRate: 5e-4 } as const

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
  const random = new Random(DENOISER.seed)
  const loss = lossGraph()
  // What begins at zero is the last layer alone, so that the network first predicts nothing.
  const weights = WeightVector.initial([...loss.unet, ...loss.textEncoder], random, (name) => name.startsWith('conv_out.'))
  const feeds = (step: number) => batchOf(data, random, step)
  const passes: readonly Pass[] = [
    { name: 'denoiser', settings: { DENOISER, config: starterConfigs.unet }, ...DENOISER, feeds },
    {
      name: 'denoiser, refined',
      settings: { DENOISER, DENOISER_REFINEMENT, config: starterConfigs.unet },
      ...DENOISER_REFINEMENT,
      feeds: (step: number) => feeds(DENOISER.steps + step),
    },
  ]
  const losses: number[] = []
  for (const pass of passes) losses.push(...(await train(weights, pass, options)))
  return { unet: pick(weights, loss.unet), textEncoder: pick(weights, loss.textEncoder), losses }
}

/** Trains a denoiser further, on other data. */
export async function finishDenoiser(
  { unet, textEncoder }: Omit<TrainedDenoiser, 'losses'>,
  data: CaptionedLatents,
  options: StageOptions,
): Promise<TrainedDenoiser> {
  const random = new Random(DENOISER_FINISH.seed)
  const loss = lossGraph()
  const weights = new WeightVector([...loss.unet, ...loss.textEncoder])
  for (const { name } of weights.parameters) weights.tensor(name).data.set((unet.get(name) ?? textEncoder.get(name))!.data)
  const losses = await train(weights, {
    name: 'denoiser, finished',
    settings: { DENOISER, DENOISER_REFINEMENT, DENOISER_FINISH, config: starterConfigs.unet },
    ...DENOISER_FINISH,
    feeds: (step) => batchOf(data, random, step),
  }, options)
  return { unet: pick(weights, loss.unet), textEncoder: pick(weights, loss.textEncoder), losses }
}

function lossGraph(): DenoiserLoss {
  const [size = 8] = unetConfig.sampleSize ?? []
  return denoiserLoss(unetConfig, textConfig, DENOISER.batch, size)
}

interface Pass {
  readonly name: string
  /** Everything that decides its result. */
  readonly settings: object
  readonly steps: number
  readonly learningRate: number
  readonly feeds: (step: number) => Readonly<Record<string, Tensor>>
}

/** One descent of the learning rate; leaves the weights at their average over its last steps. */
async function train(weights: WeightVector, pass: Pass, options: StageOptions): Promise<number[]> {
  const { name, settings, steps, learningRate, feeds } = pass
  const { threads, progressFolder, onStep, signal } = options
  const place = { device: 'cpu', ...(threads === undefined ? {} : { threads }) } as const
  // A graph of its own, since a trainer adds gradients to it.
  const { graph } = lossGraph()
  const trainer = await NetworkTrainer.create(graph, weights, { ...place, loss: 'loss', adam: ADAM })
  try {
    const losses = await trainNetwork(trainer, {
      stage: `denoiser ${JSON.stringify(settings)}`,
      steps,
      learningRate,
      schedule: { kind: 'cosine', warmUp: 200, floor: 0.01 },
      feeds,
      progressFile: `${progressFolder}/${name.replace(', ', '-')}.safetensors`,
      onStep: (step, loss) => onStep?.({ stage: name, step, steps, loss }),
      ...(signal === undefined ? {} : { signal }),
    })
    weights.values.set(trainer.state.average)
    return losses
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
