import { parseVaeConfig } from '../../../native-models/checkpoint/vae-config.ts'
import { Module, type Parameter } from '../../../native-models/module.ts'
import { starterConfigs } from '../../../native-models/starter/configs.ts'
import { CRITIC_CLASSES, criticLogits } from '../../../native-models/starter/critic.ts'
import { DRAWING_SIZE } from '../../../native-models/starter/world/draw-hand.ts'
import { buildVaeDecoder, buildVaeEncoder } from '../../../native-models/vae.ts'
import { weightSource } from '../../../native-models/weights/weight-source.ts'
import { Graph } from '../graph/graph.ts'
import * as ops from '../graph/ops/index.ts'
import { writeOnnx } from '../graph/onnx/write.ts'
import { withStored } from '../graph/rewrite.ts'
import type { AdamSettings } from '../network-training/adam.ts'
import { NetworkTrainer } from '../network-training/network-trainer.ts'
import { trainNetwork } from '../network-training/train-network.ts'
import { WeightVector } from '../network-training/weight-vector.ts'
import { Random } from '../random/random.ts'
import { Session } from '../runtime/session.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import type { LossGraph } from './autoencoder-loss.ts'
import { criticBatch, drawPairs, type DecodedPairs, type HandPairs } from './critic-pictures.ts'
import type { StageOptions, TrainedStage } from './stage.ts'
import { DECODER_STAGE } from './train-autoencoder.ts'

/** How long and how fast it is trained, and on how many threads, which decide how sums are rounded. */
export const CRITIC_TRAINING = {
  seed: 104, pairs: 4000, batch: 64, steps: 3000, learningRate: 2e-3, largestNoise: 0.3, threads: 1,
} as const

/** All that decides what it becomes. */
export const CRITIC_STAGE = `critic ${JSON.stringify({ critic: CRITIC_TRAINING, after: DECODER_STAGE })}`

/** Share of the target that is spread over all classes, so that the critic does not become certain beyond reason. */
const SMOOTHING = 0.03

const ADAM: AdamSettings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 1e-2, maxNorm: 1, averageDecay: 0.998 }
const NOTHING_ON_FILE = weightSource('(weights to be trained)', [])
const PLACE = { device: 'cpu', threads: CRITIC_TRAINING.threads } as const
const FIVE = CRITIC_CLASSES.indexOf('5')
const PIXELS = 3 * DRAWING_SIZE ** 2

/** Trains the critic on drawings and on what the autoencoder makes of them. */
export async function trainCritic(vae: ReadonlyMap<string, FloatTensor>, options: StageOptions): Promise<TrainedStage> {
  const { seed, pairs: count, batch, steps, learningRate } = CRITIC_TRAINING
  const random = new Random(seed)
  const pairs = drawPairs(random, count)
  const decoded = await decodePairs(vae, pairs, random)
  const { graph, parameters } = criticLoss(batch)
  const weights = WeightVector.initial(parameters, random)
  const trainer = await NetworkTrainer.create(graph, weights, { ...PLACE, loss: 'loss', adam: ADAM })
  try {
    const losses = await trainNetwork(trainer, {
      stage: CRITIC_STAGE,
      steps,
      learningRate,
      schedule: { kind: 'cosine', warmUp: 100, floor: 0.01 },
      feeds: (step) => {
        const { pictures, classes } = criticBatch(random, step, batch, pairs, decoded)
        return { pictures, targets: targetsOf(classes) }
      },
      progressFile: `${options.progressFolder}/critic.safetensors`,
      onStep: (step, loss) => options.onStep?.({ stage: 'critic', step, steps, loss }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    return { weights: trainer.average().tensors, losses }
  } finally {
    await trainer.dispose()
  }
}

/** Cross-entropy of the critic for `pictures` [b, 3, 64, 64] and `targets` [b, classes], probabilities: output `loss`. */
function criticLoss(batch: number): LossGraph {
  const graph = new Graph()
  const g = graph.scope
  const pictures = graph.input('pictures', 'float32', [batch, 3, DRAWING_SIZE, DRAWING_SIZE])
  const targets = graph.input('targets', 'float32', [batch, CRITIC_CLASSES.length])
  const m = Module.root(g, NOTHING_ON_FILE, { trainable: () => true })
  const terms = ops.mul(g, targets, ops.logSoftmax(g, criticLogits(m, pictures)))
  graph.output('loss', ops.scale(g, ops.sum(g, terms), -1 / batch))
  return { graph, parameters: m.parameters }
}

/** Names and shapes of the critic's weights. */
export function criticParameters(): readonly Parameter[] {
  return criticLoss(1).parameters
}

/**
 * The critic as an ONNX model, weights inside: `pictures` [b, 3, 64, 64] in [0, 1] → `score` [b], the probability of five fingers,
 * and `probabilities` [b, classes].
 */
export function criticModel(weights: ReadonlyMap<string, FloatTensor>, batch: number): Uint8Array {
  const graph = new Graph()
  const g = graph.scope
  const pictures = graph.input('pictures', 'float32', [batch, 3, DRAWING_SIZE, DRAWING_SIZE])
  const probabilities = ops.softmax(g, criticLogits(Module.root(g, NOTHING_ON_FILE, { trainable: () => true }), pictures))
  graph.output('score', ops.reshape(g, ops.slice(g, probabilities, [1], [FIVE], [FIVE + 1]), [batch]))
  graph.output('probabilities', probabilities)
  return writeOnnx(withStored(graph, weights)).bytes
}

function targetsOf(classes: readonly number[]): FloatTensor {
  const width = CRITIC_CLASSES.length
  const data = new Float32Array(classes.length * width).fill(SMOOTHING / width)
  classes.forEach((label, i) => (data[i * width + label]! += 1 - SMOOTHING))
  return float32([classes.length, width], data)
}

/** Every hand through the autoencoder with noise on its latents, and the middle of its latents and the other's. */
async function decodePairs(
  vae: ReadonlyMap<string, FloatTensor>,
  pairs: HandPairs,
  random: Random,
): Promise<DecodedPairs> {
  const batch = 20
  const config = parseVaeConfig(starterConfigs.vae, 'vae/config.json')
  const latent = DRAWING_SIZE / 2 ** (config.blockOutChannels.length - 1)
  const trained = { trainable: () => true }
  const encoder = buildVaeEncoder(config, NOTHING_ON_FILE, { batch, height: DRAWING_SIZE, width: DRAWING_SIZE, ...trained })
  const decoder = buildVaeDecoder(config, NOTHING_ON_FILE, { batch, latentHeight: latent, latentWidth: latent, ...trained })
  const [encoding, decoding] = [await Session.create(encoder.graph, PLACE), await Session.create(decoder.graph, PLACE)]
  const fed = (names: readonly { readonly name: string }[]) => Object.fromEntries(names.map(({ name }) => [name, vae.get(name)!]))
  const [encoderWeights, decoderWeights] = [fed(encoder.parameters), fed(decoder.parameters)]

  const encode = async (pictures: Float32Array): Promise<Float32Array> => {
    const pixels = float32(
      [batch, 3, DRAWING_SIZE, DRAWING_SIZE],
      pictures.map((value) => 2 * value - 1),
    )
    return toFloat32((await encoding.run({ ...encoderWeights, pixels }, ['mean'])).mean!).data
  }
  const decode = async (data: Float32Array): Promise<Float32Array> => {
    const latents = float32([batch, config.latentChannels, latent, latent], data)
    const { pixels } = await decoding.run({ ...decoderWeights, latents }, ['pixels'])
    return toFloat32(pixels!).data.map((value) => Math.min(1, Math.max(0, (value + 1) / 2)))
  }

  const hands = new Float32Array(pairs.hands.length)
  const mixtures = new Float32Array(pairs.hands.length)
  for (let start = 0; start < pairs.counts.length; start += batch) {
    const range = [start * PIXELS, (start + batch) * PIXELS] as const
    const a = await encode(pairs.hands.slice(...range))
    const b = await encode(pairs.others.slice(...range))
    const amounts = random.uniform('timestep', [start], 2 * batch)
    const noise = random.normal('sample', [start, 1], [a.length]).data
    const sampleOf = (k: number): number => Math.floor((k * batch) / a.length)
    const noised = a.map((value, k) => value + CRITIC_TRAINING.largestNoise * amounts[sampleOf(k)]! * noise[k]!)
    const between = a.map((value, k) => value + (0.35 + 0.3 * amounts[batch + sampleOf(k)]!) * (b[k]! - value))
    hands.set(await decode(noised), range[0])
    mixtures.set(await decode(between), range[0])
  }
  await encoding.dispose()
  await decoding.dispose()
  return { hands, mixtures }
}
