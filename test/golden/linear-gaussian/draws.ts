import { Random } from '../../../main/engine/random/random.ts'
import type { Algorithm } from '../../../main/engine/rlr/algorithm.ts'
import type { ChainReward, Denoiser } from '../../../main/engine/rlr/denoiser.ts'
import type { UpdateContext } from '../../../main/engine/rlr/update-context.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { denoiserOf, rewardOf, type LinearGaussianChain } from './chain.ts'

/** Mean and spread of a gradient estimate over independent draws, by component. */
export interface DrawStatistics {
  readonly draws: number
  readonly mean: Float64Array
  /** Variance of one draw. */
  readonly variance: Float64Array
  readonly standardError: Float64Array
}

export interface DrawOptions {
  readonly seed?: number
  readonly denoiser?: Denoiser
  readonly reward?: ChainReward
  /** Factor of the noise z at each position. */
  readonly noiseScale?: (position: number) => number
}

/** Draws updates of an algorithm at fixed parameters; what it would hand to the optimizer within one update is summed. */
export async function drawGradients(
  chain: LinearGaussianChain,
  algorithm: Pick<Algorithm, 'update'>,
  draws: number,
  { seed = 20_250, denoiser = denoiserOf(chain), reward = rewardOf(chain), noiseScale }: DrawOptions = {},
): Promise<DrawStatistics> {
  const { p, theta } = chain
  const mean = new Float64Array(p)
  const squares = new Float64Array(p)
  const sum = new Float64Array(p)
  const random = new Random(seed)
  for (let draw = 0; draw < draws; draw++) {
    sum.fill(0)
    await algorithm.update(contextOf(chain, denoiser, reward, random, draw, noiseScale), async (gradient) => {
      for (let k = 0; k < p; k++) sum[k]! += gradient[k]!
      return theta
    })
    // Welford's update: no cancellation, however many draws.
    for (let k = 0; k < p; k++) {
      const before = sum[k]! - mean[k]!
      mean[k]! += before / (draw + 1)
      squares[k]! += before * (sum[k]! - mean[k]!)
    }
  }
  const variance = squares.map((square) => square / (draws - 1))
  return { draws, mean, variance, standardError: variance.map((value) => Math.sqrt(value / draws)) }
}

/** One update's context on the chain, all noise made from (seed, update). */
export function contextOf(
  chain: LinearGaussianChain,
  denoiser: Denoiser,
  reward: ChainReward,
  random: Random,
  update: number,
  noiseScale?: (position: number) => number,
): UpdateContext {
  const { coefficients, groups, theta, d } = chain
  const shape = [groups.length, d]
  return {
    denoiser,
    coefficients,
    reward,
    noise: {
      start: () => random.normal('startingNoise', [update], shape),
      step: (position) => {
        const z = random.normal('stepNoise', [update, position], shape)
        return noiseScale === undefined ? z : float32(shape, z.data.map((value) => noiseScale(position) * value))
      },
    },
    groups,
    theta,
    random,
    update,
  }
}

/** (mean − expected) in standard errors, by component. */
export function zScores({ mean, standardError }: DrawStatistics, expected: ArrayLike<number>): number[] {
  return Array.from(mean, (value, k) => (value - expected[k]!) / standardError[k]!)
}
