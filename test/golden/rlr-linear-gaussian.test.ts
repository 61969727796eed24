/**
 * On a linear-Gaussian chain with a quadratic reward ∇J is known exactly. The mean of every unbiased form of RLR over 10⁵ updates
 * must agree with it, that of every biased form with what its bias leaves; and the agreement must break when an estimator errs.
 */
import { describe, expect, it } from 'vitest'
import { Random } from '../../main/engine/random/random.ts'
import { createAlgorithm, type AlgorithmSettings } from '../../main/engine/rlr/algorithm.ts'
import { mean } from '../../main/engine/rlr/batch-arithmetic.ts'
import { LearnedBaseline } from '../../main/engine/rlr/learned-baseline.ts'
import { rlr, type RlrSettings } from '../../main/engine/rlr/rlr.ts'
import { rollOut } from '../../main/engine/rlr/rollout.ts'
import { SMALL, denoiserOf, linearGaussianChain, rewardOf } from './linear-gaussian/chain.ts'
import { exactGradients, expectedReward, total } from './linear-gaussian/closed-form.ts'
import { contextOf, drawGradients } from './linear-gaussian/draws.ts'
import {
  mirroredPerturbations,
  negatedReward,
  sigmaOnTheWrongSide,
  withoutKe,
  withoutKx,
  wrongSignBeforeTheLast,
  wrongSignInRecursion,
} from './linear-gaussian/mistakes.ts'
import { BEYOND, expectMean, expectRefuted, totalVariance } from './linear-gaussian/verdict.ts'

const DRAWS = 100_000
/** Mistakes are gross: fewer draws show them. */
const DRAWS_OF_A_MISTAKE = 20_000

const chain = linearGaussianChain(SMALL)
const perStep = exactGradients(chain)
const exact = total(perStep)

type Rlr = Extract<AlgorithmSettings, { kind: 'rlr' }>
const paper: Rlr = {
  kind: 'rlr',
  firstOrderDepth: 1,
  windowLength: 1,
  windows: 1,
  coverage: 'zeroth-order',
  proposal: { kind: 'uniform' },
  zerothOrder: { form: 'antithetic', mu: 1e-3, pairs: 1 },
  firstOrderWeight: 1,
  baseline: 'leave-one-out',
}
const importance: Rlr = { ...paper, coverage: 'importance' }
const none: Rlr = { ...paper, coverage: 'none' }

describe('the closed form', () => {
  it('agrees with the mean reward of the chain', async () => {
    const random = new Random(3)
    const rewards: number[] = []
    for (let update = 0; update < 20_000; update++) {
      const { denoiser, coefficients, noise, theta, reward } = contextOf(chain, denoiserOf(chain), rewardOf(chain), random, update)
      const { x0 } = await rollOut(denoiser, coefficients, noise, () => theta)
      rewards.push(mean(await reward.value(x0)))
    }
    const average = mean(rewards)
    const standardError = Math.sqrt(mean(rewards.map((value) => (value - average) ** 2)) / rewards.length)
    const expected = expectedReward(
      chain,
      chain.coefficients.map(() => chain.theta),
    )
    expect(Math.abs(average - expected)).toBeLessThan(3 * standardError)
  })

  it('has its gradient by all steps as the sum of the gradients by each', () => {
    const shifted = (k: number, offset: number): number =>
      expectedReward(
        chain,
        chain.coefficients.map(() => Float64Array.from(chain.theta, (value, j) => value + (j === k ? offset : 0))),
      )
    exact.forEach((value, k) => expect((shifted(k, 1e-5) - shifted(k, -1e-5)) / 2e-5).toBeCloseTo(value, 6))
  })
})

describe(`over ${DRAWS} updates, the mean is the exact gradient of`, () => {
  it.each<[string, Omit<Rlr, 'kind'>]>([
    ['zeroth-order coverage, antithetic', paper],
    ['zeroth-order coverage, per step, h = 2', { ...paper, windowLength: 2, zerothOrder: { form: 'per-step', mu: 1e-3, pairs: 2 } }],
    ['zeroth-order coverage, K = 2', { ...paper, firstOrderDepth: 2 }],
    [
      'zeroth-order coverage, emphasis, no first order',
      { ...paper, firstOrderDepth: 0, windowLength: 2, proposal: { kind: 'emphasis', perStep: [1, 3, 0, 0] } },
    ],
    ['a window over all early steps, h = 3', { ...none, windowLength: 3 }],
    ['importance, m = 1, h = 1', importance],
    ['importance, m = 2, h = 1, emphasis', { ...importance, windows: 2, proposal: { kind: 'emphasis', perStep: [1, 2, 5, 0] } }],
    [
      'importance, m = 2, h = 2, gradient norm',
      { ...importance, windows: 2, windowLength: 2, proposal: { kind: 'gradient-norm', temperature: 1 } },
    ],
    [
      'importance, m = 1, h = 1, gradient norm, K = 2',
      { ...importance, firstOrderDepth: 2, proposal: { kind: 'gradient-norm', temperature: 0.5 } },
    ],
    ['importance, m = 2, h = 2, K = 2, no baseline', { ...importance, windows: 2, windowLength: 2, firstOrderDepth: 2, baseline: 'none' }],
    ['importance, K = 3', { ...importance, firstOrderDepth: 3 }],
  ])('%s', async (_, settings) => {
    expectMean(await drawGradients(chain, createAlgorithm({ kind: 'rlr', ...settings }), DRAWS), exact)
  })

  it('importance with the learned baseline, which lowers the variance', async () => {
    const settings: RlrSettings = { ...importance, proposal: { kind: 'uniform' }, baseline: 'learned' }
    const learned = new LearnedBaseline({ steps: chain.steps, features: 12 })
    const drawn = await drawGradients(
      chain,
      {
        update: async (context, apply) => {
          const { gradient, ...summary } = await rlr(settings, context, learned)
          await apply(gradient)
          return summary
        },
      },
      DRAWS,
    )
    expectMean(drawn, exact)
    const without = await drawGradients(chain, createAlgorithm({ ...importance, baseline: 'none' }), DRAWS_OF_A_MISTAKE)
    const leaveOneOut = await drawGradients(chain, createAlgorithm(importance), DRAWS_OF_A_MISTAKE)
    console.log('variance by baseline:', {
      none: totalVariance(without),
      leaveOneOut: totalVariance(leaveOneOut),
      learned: totalVariance(drawn),
    })
    expect(totalVariance(drawn)).toBeLessThan(0.5 * totalVariance(leaveOneOut))
    expect(totalVariance(drawn)).toBeLessThan(0.5 * totalVariance(without))
  })
})

describe(`over ${DRAWS} updates, the mean is off the exact gradient, and by what theory says, for`, () => {
  it.each<[string, Rlr, Float64Array]>([
    ['no coverage, h = 1', none, exact.map((_, k) => perStep[3]![k]! + total(perStep, [0, 1, 2])[k]! / 3)],
    ['no coverage, h = 2', { ...none, windowLength: 2 }, exact.map((_, k) => perStep[3]![k]! + total(perStep, [0, 1, 1, 2])[k]! / 2)],
    [
      'a first-order weight of 0.5',
      { ...importance, windows: 3, firstOrderWeight: 0.5 },
      exact.map((value, k) => value - perStep[3]![k]! / 2),
    ],
    ['importance without first order', { ...importance, firstOrderDepth: 0 }, total(perStep, [0, 1, 2])],
  ])('%s', async (_, settings, expected) => {
    const algorithm = createAlgorithm(settings)
    expect(algorithm.biased).toBeDefined()
    const drawn = await drawGradients(chain, algorithm, DRAWS)
    expectMean(drawn, expected)
    expectRefuted(drawn, exact, BEYOND)
  })

  it('wide perturbations', async () => {
    const algorithm = createAlgorithm({ ...paper, zerothOrder: { form: 'antithetic', mu: 1, pairs: 1 } })
    expectRefuted(await drawGradients(chain, algorithm, DRAWS), exact, BEYOND)
  })
})

describe('the criterion notices', () => {
  const denoiser = denoiserOf(chain)
  const refuted = async (settings: AlgorithmSettings, options: Parameters<typeof drawGradients>[3]): Promise<void> =>
    expectRefuted(await drawGradients(chain, createAlgorithm(settings), DRAWS_OF_A_MISTAKE, options), exact)
  const wide: Rlr = { ...none, windowLength: 3 }

  it('the wrong sign of ke in half order', () => refuted(wide, { denoiser: wrongSignBeforeTheLast(chain, denoiser) }))
  it('the wrong sign of ke in half order under importance', () =>
    refuted(importance, { denoiser: wrongSignBeforeTheLast(chain, denoiser) }))
  it('the wrong sign of ke inside a window', () => refuted(wide, { denoiser: wrongSignInRecursion(denoiser) }))
  it('a missing kx inside a window', () => refuted(wide, { denoiser: withoutKx(chain, denoiser) }))
  it('a missing kx in a deep first order', () => refuted({ ...importance, firstOrderDepth: 3 }, { denoiser: withoutKx(chain, denoiser) }))
  it('a missing ke', () => refuted(paper, { denoiser: withoutKe(chain, denoiser) }))
  it("the wrong sign of the reward's gradient", () => refuted(paper, { reward: negatedReward(rewardOf(chain)) }))
  it('the wrong sign of zeroth-order perturbations', () =>
    refuted({ ...paper, firstOrderDepth: 2 }, { denoiser: mirroredPerturbations(chain, denoiser) }))
  it('the noise multiplied by σ where it must be divided', async () => {
    const { chain: mistaken, noiseScale } = sigmaOnTheWrongSide(chain)
    const sound = await drawGradients(chain, createAlgorithm(wide), DRAWS_OF_A_MISTAKE)
    expectMean(sound, exact)
    expectRefuted(await drawGradients(mistaken, createAlgorithm(wide), DRAWS_OF_A_MISTAKE, { noiseScale }), exact)
  })
})
