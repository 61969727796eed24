/** The chain of sd15-micro, a network with random weights, with a reward that its adapter can move. */
import path from 'node:path'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { ddimCoefficients } from '../../../main/engine/diffusion/ddim.ts'
import { noiseSchedule } from '../../../main/engine/diffusion/noise-schedule.ts'
import { StableDiffusion } from '../../../main/engine/pipeline/stable-diffusion.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { createAlgorithm } from '../../../main/engine/rlr/algorithm.ts'
import { norm } from '../../../main/engine/rlr/batch-arithmetic.ts'
import type { ChainReward, Parameters } from '../../../main/engine/rlr/denoiser.ts'
import { rollOut } from '../../../main/engine/rlr/rollout.ts'
import type { UpdateContext } from '../../../main/engine/rlr/update-context.ts'
import { elementCount } from '../../../main/engine/tensor/shape.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'

const MODEL = path.join(import.meta.dirname, '../../golden/sd15-micro')
const ATTENTION = /attn[12]\.to_(q|k|v|out\.0)$/

export interface MicroChainOptions {
  readonly steps: number
  readonly batch: number
  /** Height and width of the latents. */
  readonly latent: number
  /** Whether the reward is to be one that the adapter can move, which takes a while to find. */
  readonly movable: boolean
}

export interface MicroChain {
  readonly parameters: number
  context(update: number): UpdateContext
  dispose(): Promise<void>
}

/** T evenly spaced steps, the last of which begins well before the clean end, so that every other one adds much noise. */
function timestepsOf(steps: number): number[] {
  return Array.from({ length: steps }, (_, i) => Math.round(951 - (900 * i) / steps))
}

export async function openMicroChain({ steps, batch, latent, movable }: MicroChainOptions): Promise<MicroChain> {
  const checkpoint = await openCheckpoint(MODEL)
  const pipeline = await StableDiffusion.open(checkpoint, {
    device: 'cpu',
    precision: 'float32',
    batch,
    latentHeight: latent,
    latentWidth: latent,
    trained: { rank: 2, alpha: 2, target: (layer) => ATTENTION.test(layer) },
  })
  const timesteps = timestepsOf(steps)
  const coefficients = ddimCoefficients(noiseSchedule(pipeline.scheduler), timesteps, 1, checkpoint.predictionType)
  const denoiser = await pipeline.denoiser(Array.from({ length: batch }, () => ({ prompt: 'a red fox', guidance: 1 })), timesteps)
  const random = new Random(3)
  // B begins at zero, under which A has no gradient: a little noise stands for an adapter in training.
  const jolt = random.normal('initialisation', [1, 0], [pipeline.layout.size]).data
  const theta = pipeline.initialTheta(random).map((value, i) => value + 0.1 * (jolt[i] ?? 0))
  const shape = pipeline.latentShape
  const groups = new Array<number>(batch).fill(0)
  const contextWith = (reward: ChainReward, update: number): UpdateContext => ({
    denoiser,
    coefficients,
    reward,
    noise: {
      start: () => random.normal('startingNoise', [update], shape),
      step: (position) => random.normal('stepNoise', [update, position], shape),
    },
    groups,
    theta,
    random,
    update,
  })
  const halves = halvesOf(elementCount(shape.slice(1)))
  const reward = linearReward(movable ? await movableDirection(contextWith, halves) : halves)
  return { parameters: theta.length, context: (update) => contextWith(reward, update), dispose: () => pipeline.dispose() }
}

/** Rounds of the power iteration, and the draws it is made from, which no measurement comes near. */
const ROUNDS = 3
const FAR = 1_000_000
const PUSH = 0.05

/**
 * For R = ⟨a, x_0⟩ with ‖a‖ = 1, an a close to the direction in which the adapter moves x_0 most: a ← normalised E[J Jᵀ a], J Jᵀ a
 * by going a little way along the exact gradient. For any other direction a random network's gradient drowns in the noise of every
 * score function, and there would be nothing to compare.
 */
async function movableDirection(
  contextWith: (reward: ChainReward, update: number) => UpdateContext,
  start: Float64Array<ArrayBuffer>,
): Promise<Float64Array> {
  const full = createAlgorithm({ kind: 'full' })
  const size = start.length
  let direction = start
  for (let round = 0; round < ROUNDS; round++) {
    const context = contextWith(linearReward(direction), FAR + round)
    let moved: Parameters = context.theta
    await full.update(context, async (gradient) => {
      const length = norm(gradient)
      moved = context.theta.map((value, i) => value + (PUSH * (gradient[i] ?? 0)) / length)
      return context.theta
    })
    const cleanAt = async (theta: Parameters): Promise<FloatTensor> =>
      (await rollOut(context.denoiser, context.coefficients, context.noise, () => theta)).x0
    const before = await cleanAt(context.theta)
    const after = await cleanAt(moved)
    const sum = new Float64Array(size)
    after.data.forEach((value, i) => (sum[i % size] = (sum[i % size] ?? 0) + value - (before.data[i] ?? 0)))
    const length = norm(sum)
    direction = sum.map((value) => value / length)
  }
  return direction
}

/** The first half of a latent against the second. */
function halvesOf(size: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: size }, (_, i) => (i < size / 2 ? 1 : -1) / Math.sqrt(size))
}

function linearReward(direction: Float64Array): ChainReward {
  const size = direction.length
  const value = ({ data }: FloatTensor): Float64Array =>
    Float64Array.from({ length: data.length / size }, (_, b) => direction.reduce((sum, a, i) => sum + a * (data[b * size + i] ?? 0), 0))
  return {
    value: (x0) => Promise.resolve(value(x0)),
    gradient: (x0, weights) => {
      const dx0 = x0.data.map((_, i) => (weights[Math.floor(i / size)] ?? 0) * (direction[i % size] ?? 0))
      return Promise.resolve({ values: value(x0), dx0: float32(x0.shape, dx0) })
    },
  }
}
