import { buildVaeEncoder } from '../../../native-models/vae.ts'
import { parseVaeConfig } from '../../../native-models/checkpoint/vae-config.ts'
import { starterConfigs } from '../../../native-models/starter/configs.ts'
import { DRAWING_SIZE } from '../../../native-models/starter/world/draw-hand.ts'
import { weightSource } from '../../../native-models/weights/weight-source.ts'
import type { AdamSettings } from '../network-training/adam.ts'
import { NetworkTrainer } from '../network-training/network-trainer.ts'
import { trainNetwork } from '../network-training/train-network.ts'
import { WeightVector } from '../network-training/weight-vector.ts'
import { Random } from '../random/random.ts'
import { Session } from '../runtime/session.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import { autoencoderLoss, decoderLoss, type LossGraph } from './autoencoder-loss.ts'
import { batchIndices, Drawings, TRAINING_SET } from './drawings.ts'
import type { StageOptions, TrainedStage } from './stage.ts'

/**
 * How long and how fast each part is trained, and on how many threads, since they decide how sums are rounded: all of it is part of
 * what the result depends on.
 */
export const AUTOENCODER = { seed: 101, batch: 16, steps: 4000, learningRate: 2.5e-3, threads: 1 } as const
/** The decoder goes on alone, on latents with noise: what a denoiser gives is never quite what the encoder gives. */
export const DECODER = { seed: 102, batch: 16, steps: 20_000, learningRate: 2e-3, largestNoise: 0.25, threads: 1 } as const

/** All that decides what each part becomes, with the world's first drawings for how it draws and speaks. */
const world = Drawings.draw(new Random(TRAINING_SET.seed), 0, 32).fingerprint
export const AUTOENCODER_STAGE = `autoencoder ${
  JSON.stringify({ drawings: TRAINING_SET, world, autoencoder: AUTOENCODER, vae: starterConfigs.vae })
}`
export const DECODER_STAGE = `decoder ${JSON.stringify({ decoder: DECODER, after: AUTOENCODER_STAGE })}`

const ADAM: AdamSettings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxNorm: 1, averageDecay: 0.998 }

const config = parseVaeConfig(starterConfigs.vae, 'vae/config.json')
const LATENT_SIZE = DRAWING_SIZE / 2 ** (config.blockOutChannels.length - 1)
const LATENTS = config.latentChannels * LATENT_SIZE ** 2

/** Trains the autoencoder on drawings and gives its weights, with latents of mean 0 and deviation 1 in every channel. */
export async function trainAutoencoder(drawings: Drawings, options: StageOptions): Promise<TrainedStage> {
  const { seed, batch } = AUTOENCODER
  const random = new Random(seed)
  const loss = autoencoderLoss(config, batch, DRAWING_SIZE)
  const weights = WeightVector.initial(loss.parameters, random)
  const losses = await run({ name: 'autoencoder', stage: AUTOENCODER_STAGE, ...AUTOENCODER }, loss, weights, options, (step) => ({
    pixels: symmetric(drawings.pictures(batchIndices(random, step, batch, drawings.count))),
    noise: random.normal('stepNoise', [step], [batch, config.latentChannels, LATENT_SIZE, LATENT_SIZE]),
  }))
  return { weights: await normalised(weights, drawings), losses }
}

/** Trains the decoder further on latents of the drawings with noise in them, the encoder left as it is. */
export async function trainDecoder(
  autoencoder: ReadonlyMap<string, FloatTensor>,
  drawings: Drawings,
  latents: Float32Array,
  options: StageOptions,
): Promise<TrainedStage> {
  const { seed, batch, largestNoise } = DECODER
  const random = new Random(seed)
  const loss = decoderLoss(config, batch, DRAWING_SIZE)
  const weights = new WeightVector(loss.parameters)
  for (const { name } of loss.parameters) weights.tensor(name).data.set(autoencoder.get(name)!.data)
  const losses = await run({ name: 'decoder', stage: DECODER_STAGE, ...DECODER }, loss, weights, options, (step) => {
    const indices = batchIndices(random, step, batch, drawings.count)
    const amounts = random.uniform('timestep', [step], batch)
    const noisy = random.normal('stepNoise', [step], [batch, config.latentChannels, LATENT_SIZE, LATENT_SIZE])
    noisy.data.forEach((z, k) => {
      const i = Math.floor(k / LATENTS)
      noisy.data[k] = latents[indices[i]! * LATENTS + (k % LATENTS)]! + largestNoise * amounts[i]! * z
    })
    return { pixels: symmetric(drawings.pictures(indices)), latents: noisy }
  })
  return { weights: new Map([...autoencoder, ...weights.tensors]), losses }
}

interface PartTraining {
  readonly name: string
  readonly stage: string
  readonly steps: number
  readonly learningRate: number
  readonly threads: number
}

async function run(
  { name, stage, steps, learningRate, threads }: PartTraining,
  { graph }: LossGraph,
  weights: WeightVector,
  { progressFolder, onStep, signal }: StageOptions,
  feeds: (step: number) => Readonly<Record<string, FloatTensor>>,
): Promise<number[]> {
  const trainer = await NetworkTrainer.create(graph, weights, { device: 'cpu', threads, loss: 'loss', report: ['error'], adam: ADAM })
  try {
    const losses = await trainNetwork(trainer, {
      stage,
      steps,
      learningRate,
      schedule: { kind: 'cosine', warmUp: 100, floor: 0.01 },
      feeds,
      progressFile: `${progressFolder}/${name}.safetensors`,
      onStep: (step, loss) => onStep?.({ stage: name, step, steps, loss }),
      ...(signal === undefined ? {} : { signal }),
    })
    weights.values.set(trainer.state.average)
    return losses
  } finally {
    await trainer.dispose()
  }
}

/** Latents [n, c, h, w] of drawings: the means of their distributions, one behind the other. */
export async function encodeDrawings(
  weights: ReadonlyMap<string, FloatTensor>,
  drawings: Drawings,
): Promise<Float32Array> {
  const batch = 50
  const model = buildVaeEncoder(config, weightSource('(trained weights)', []), {
    batch,
    height: DRAWING_SIZE,
    width: DRAWING_SIZE,
    trainable: () => true,
  })
  const session = await Session.create(model.graph, { device: 'cpu', threads: AUTOENCODER.threads })
  const fed = Object.fromEntries(model.parameters.map(({ name }) => [name, weights.get(name)!]))
  const latents = new Float32Array(drawings.count * LATENTS)
  for (let start = 0; start < drawings.count; start += batch) {
    const indices = Array.from({ length: batch }, (_, i) => Math.min(start + i, drawings.count - 1))
    const { mean } = await session.run({ ...fed, pixels: symmetric(drawings.pictures(indices)) }, ['mean'])
    const count = Math.min(batch, drawings.count - start)
    latents.set(toFloat32(mean!).data.subarray(0, count * LATENTS), start * LATENTS)
  }
  await session.dispose()
  return latents
}

/**
 * The same autoencoder with every latent channel at mean 0 and deviation 1, so that noise means the same to all of them. With
 * z' = (z − μ)/σ the last layer of the encoder, q, becomes (q − μ)/σ in its means, and the first of the decoder takes σ z' + μ:
 * both are 1×1 convolutions, so that this is exact and any reader of the format has it.
 */
export async function normalised(
  weights: WeightVector,
  drawings: Drawings,
): Promise<ReadonlyMap<string, FloatTensor>> {
  const { latentChannels: channels } = config
  const latents = await encodeDrawings(weights.tensors, drawings)
  const positions = LATENT_SIZE ** 2
  const tensors = new Map([...weights.tensors].map(([name, { shape, data }]) => [name, float32(shape, data.slice())]))
  const data = (name: string): Float32Array => tensors.get(name)!.data
  const [quant, quantBias] = [data('quant_conv.weight'), data('quant_conv.bias')]
  const [post, postBias] = [data('post_quant_conv.weight'), data('post_quant_conv.bias')]
  for (let c = 0; c < channels; c++) {
    const { mean, deviation } = momentsOf(latents, (i) => Math.floor(i / positions) % channels === c)
    for (let k = 0; k < 2 * channels; k++) quant[c * 2 * channels + k]! /= deviation
    quantBias[c] = (quantBias[c]! - mean) / deviation
    // The logarithm of the variance moves along.
    quantBias[channels + c]! -= 2 * Math.log(deviation)
    for (let out = 0; out < channels; out++) {
      postBias[out]! += post[out * channels + c]! * mean
      post[out * channels + c]! *= deviation
    }
  }
  return tensors
}

function momentsOf(values: Float32Array, counts: (index: number) => boolean): { readonly mean: number; readonly deviation: number } {
  let [count, sum, squares] = [0, 0, 0]
  values.forEach((value, i) => {
    if (!counts(i)) return
    count += 1
    sum += value
    squares += value * value
  })
  const mean = sum / count
  return { mean, deviation: Math.sqrt(squares / count - mean * mean) }
}

/** [0, 1] → [−1, 1], in place. */
function symmetric(pictures: FloatTensor): FloatTensor {
  pictures.data.forEach((value, i) => (pictures.data[i] = 2 * value - 1))
  return pictures
}
