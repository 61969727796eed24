/** The peers on the linear-Gaussian chain: each one's mean over 10⁵ updates against the exact gradient, or what it leaves of it. */
import { describe, expect, it } from 'vitest'
import { createAlgorithm, type AlgorithmSettings } from '../../main/engine/rlr/algorithm.ts'
import { SMALL, denoiserOf, linearGaussianChain } from './linear-gaussian/chain.ts'
import { exactGradients, total } from './linear-gaussian/closed-form.ts'
import { drawGradients } from './linear-gaussian/draws.ts'
import { mirroredPerturbations, withoutKx, wrongSignBeforeTheLast, wrongSignInRecursion } from './linear-gaussian/mistakes.ts'
import { BEYOND, expectMean, expectRefuted } from './linear-gaussian/verdict.ts'

const DRAWS = 100_000
const DRAWS_OF_A_MISTAKE = 20_000

const chain = linearGaussianChain(SMALL)
const perStep = exactGradients(chain)
const exact = total(perStep)
const antithetic = { form: 'antithetic', mu: 1e-3, pairs: 1 } as const

describe(`over ${DRAWS} updates, the mean is the exact gradient of`, () => {
  it.each<[string, AlgorithmSettings]>([
    ['full', { kind: 'full' }],
    ['alignprop through all steps', { kind: 'alignprop', depth: 4 }],
    ['zo', { kind: 'zo', zerothOrder: antithetic }],
    ['zo, per step', { kind: 'zo', zerothOrder: { ...antithetic, form: 'per-step' } }],
  ])('%s', async (_, settings) => {
    expectMean(await drawGradients(chain, createAlgorithm(settings), DRAWS), exact)
  })
})

describe(`over ${DRAWS} updates, the mean is off the exact gradient, and by what theory says, for`, () => {
  it.each<[string, AlgorithmSettings, Float64Array]>([
    ['alignprop, K = 1 (DRaFT-1)', { kind: 'alignprop', depth: 1 }, total(perStep, [3])],
    ['alignprop, K = 2', { kind: 'alignprop', depth: 2 }, total(perStep, [2, 3])],
    // K is drawn from 1 … 4: step t counts in as many of 4 draws as there are depths that reach it.
    [
      'alignprop, K random',
      { kind: 'alignprop', depth: 'random' },
      exact.map((_, k) => total(perStep, [0, 1, 1, 2, 2, 2, 3, 3, 3, 3])[k]! / 4),
    ],
    ['reinforce', { kind: 'reinforce' }, total(perStep, [0, 1, 2])],
  ])('%s', async (_, settings, expected) => {
    const algorithm = createAlgorithm(settings)
    expect(algorithm.biased).toBeDefined()
    const drawn = await drawGradients(chain, algorithm, DRAWS)
    expectMean(drawn, expected)
    expectRefuted(drawn, exact, BEYOND)
  })

  it.each<[string, AlgorithmSettings]>([
    ['ddpo', { kind: 'ddpo', clip: 1e-4, innerEpochs: 1 }],
    ['public-code', { kind: 'public-code', firstOrderWeight: 0.05, halfOrderWeight: 0.001, chainLength: 2, clip: 1e-4 }],
    ['zo with wide perturbations', { kind: 'zo', zerothOrder: { ...antithetic, mu: 1 } }],
  ])('%s', async (_, settings) => {
    expectRefuted(await drawGradients(chain, createAlgorithm(settings), DRAWS), exact, BEYOND)
  })
})

describe('the criterion notices', () => {
  const denoiser = denoiserOf(chain)
  const drawWrong = (settings: AlgorithmSettings, wrong: typeof denoiser): ReturnType<typeof drawGradients> =>
    drawGradients(chain, createAlgorithm(settings), DRAWS_OF_A_MISTAKE, { denoiser: wrong })

  it('a missing kx in full', async () => expectRefuted(await drawWrong({ kind: 'full' }, withoutKx(chain, denoiser)), exact))
  it('the wrong sign of ke in alignprop', async () =>
    expectRefuted(await drawWrong({ kind: 'alignprop', depth: 2 }, wrongSignInRecursion(denoiser)), total(perStep, [2, 3])))
  it('the wrong sign of ke in reinforce', async () =>
    expectRefuted(await drawWrong({ kind: 'reinforce' }, wrongSignBeforeTheLast(chain, denoiser)), total(perStep, [0, 1, 2])))
  it('the wrong sign of the perturbations in zo', async () =>
    expectRefuted(await drawWrong({ kind: 'zo', zerothOrder: antithetic }, mirroredPerturbations(chain, denoiser)), exact))
})
