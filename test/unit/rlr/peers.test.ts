import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import { createAlgorithm, type AlgorithmSettings, type UpdateSummary } from '../../../main/engine/rlr/algorithm.ts'
import { normalisedAdvantages } from '../../../main/engine/rlr/baseline.ts'
import { halfOrder } from '../../../main/engine/rlr/half-order.ts'
import { takenSteps } from '../../../main/engine/rlr/taken-steps.ts'
import type { UpdateContext } from '../../../main/engine/rlr/update-context.ts'
import { SMALL, denoiserOf, linearGaussianChain, rewardOf } from '../../golden/linear-gaussian/chain.ts'
import { contextOf } from '../../golden/linear-gaussian/draws.ts'

const chain = linearGaussianChain(SMALL)
const contextAt = (update: number): UpdateContext => contextOf(chain, denoiserOf(chain), rewardOf(chain), new Random(4), update)

/** One update with an optimizer that moves by a fixed amount, and what it was given. */
async function updateOnce(
  settings: AlgorithmSettings,
  context = contextAt(0),
): Promise<{ gradients: Float32Array[]; summary: UpdateSummary }> {
  const gradients: Float32Array[] = []
  const summary = await createAlgorithm(settings).update(context, async (gradient) => {
    gradients.push(gradient)
    return context.theta.map((value) => value + 0.05 * gradients.length)
  })
  return { gradients, summary }
}

describe('ddpo', () => {
  const ddpo = { kind: 'ddpo', clip: 1e-4, innerEpochs: 3 } as const

  it('takes one optimizer step per inner epoch and rolls out once', async () => {
    const { gradients, summary } = await updateOnce(ddpo)
    expect(gradients).toHaveLength(3)
    // 4 for the rollout, then one ratio per noisy step and epoch.
    expect(summary.cost.forwards).toBe(4 + 3 * 3)
    expect(summary.steps.map(({ coverage }) => coverage)).toEqual(['half-order', 'half-order', 'half-order', 'none'])
  })

  it('begins with the score function of every noisy step and normalised advantages', async () => {
    const context = contextAt(1)
    const { gradients: [first], summary } = await updateOnce(ddpo, context)
    const { latents } = await takenSteps(context, [0, 1, 2])
    const advantages = normalisedAdvantages(summary.rewards, context.groups).map((value) => value / 4)
    const sum = new Float64Array(chain.p)
    for (const position of [0, 1, 2]) {
      const window = { first: position, last: position }
      const z = context.noise.step(position)
      const { gradient } = await halfOrder(context.denoiser, chain.coefficients, latents, window, chain.theta, z, advantages)
      gradient.forEach((value, k) => (sum[k]! += value))
    }
    first!.forEach((value, k) => expect(value).toBeCloseTo(sum[k]!, 3))
  })

  it('clips once the parameters have moved', async () => {
    const { gradients } = await updateOnce(ddpo)
    const unclipped = await updateOnce({ ...ddpo, clip: 100 })
    expect([...gradients[1]!]).not.toEqual([...unclipped.gradients[1]!])
    expect([...gradients[0]!]).toEqual([...unclipped.gradients[0]!])
  })
})

describe('public-code', () => {
  const settings = { kind: 'public-code', firstOrderWeight: 0.05, halfOrderWeight: 0.001, chainLength: 2, clip: 1e-4 } as const

  it('takes an optimizer step for the last step and one for each random step', async () => {
    const { gradients, summary } = await updateOnce(settings)
    expect(gradients).toHaveLength(3)
    expect(summary.steps.at(-1)).toMatchObject({ coverage: 'first-order' })
    expect(summary.steps.filter(({ coverage }) => coverage === 'half-order').length).toBeGreaterThan(0)
  })

  it('begins with the weighted first-order gradient', async () => {
    const { gradients: [first] } = await updateOnce(settings)
    const { gradients: [draft] } = await updateOnce({ kind: 'alignprop', depth: 1 })
    first!.forEach((value, k) => expect(value).toBeCloseTo(0.05 * draft![k]!, 6))
  })

  it('draws every noisy step and never the last', async () => {
    const visited = new Set<number>()
    for (let update = 0; update < 40; update++) {
      const { summary } = await updateOnce(settings, contextAt(update))
      summary.steps.forEach(({ coverage }, position) => coverage === 'half-order' && visited.add(position))
    }
    expect([...visited].sort()).toEqual([0, 1, 2])
  })
})

describe('alignprop', () => {
  it('reaches every depth when it is random', async () => {
    const depths = new Set<number>()
    for (let update = 0; update < 60; update++) {
      const { summary } = await updateOnce({ kind: 'alignprop', depth: 'random' }, contextAt(update))
      depths.add(summary.steps.filter(({ coverage }) => coverage === 'first-order').length)
    }
    expect([...depths].sort()).toEqual([1, 2, 3, 4])
  })
})

describe('every algorithm', () => {
  const zerothOrder = { form: 'antithetic', mu: 0.01, pairs: 1 } as const
  const rlr = {
    kind: 'rlr', firstOrderDepth: 1, windowLength: 1, windows: 1, coverage: 'zeroth-order', proposal: { kind: 'uniform' },
    zerothOrder, firstOrderWeight: 1, baseline: 'leave-one-out',
  } as const
  const all: readonly AlgorithmSettings[] = [
    rlr,
    { kind: 'ddpo', clip: 1e-4, innerEpochs: 2 },
    { kind: 'alignprop', depth: 2 },
    { kind: 'reinforce' },
    { kind: 'zo', zerothOrder },
    { kind: 'public-code', firstOrderWeight: 0.05, halfOrderWeight: 0.001, chainLength: 2, clip: 1e-4 },
    { kind: 'full' },
  ]

  it.each(all)('$kind gives the same gradients for the same update, and others for another', async (settings) => {
    const { gradients, summary } = await updateOnce(settings)
    expect((await updateOnce(settings)).gradients).toEqual(gradients)
    expect((await updateOnce(settings, contextAt(7))).gradients).not.toEqual(gradients)
    expect(gradients.flatMap((gradient) => [...gradient]).every(Number.isFinite)).toBe(true)
    expect(summary.rewards).toHaveLength(4)
    expect(summary.steps).toHaveLength(4)
  })

  it.each([
    [{ kind: 'full' }],
    [{ kind: 'alignprop', depth: 1 }],
    [{ kind: 'public-code', firstOrderWeight: 1, halfOrderWeight: 1, chainLength: 1, clip: 1 }],
    [rlr],
  ] as const)('%o refuses a reward without gradient', (settings) => {
    const facts = { coefficients: chain.coefficients, differentiable: false }
    expect(() => createAlgorithm(settings).assertPossible(facts)).toThrow(/reward with a gradient/)
  })

  const noisy = [[{ kind: 'reinforce' }], [{ kind: 'ddpo', clip: 1, innerEpochs: 1 }], [rlr]] as const
  it.each(noisy)('%o refuses a chain without noise', (settings) => {
    const coefficients = chain.coefficients.map(({ kx, ke }) => ({ kx, ke, sigma: 0 }))
    expect(() => createAlgorithm(settings).assertPossible({ coefficients, differentiable: true })).toThrow(/needs noise in every step/)
  })

  it.each([
    [{ kind: 'alignprop', depth: 5 }, /depth of 5/],
    [{ ...rlr, firstOrderDepth: 5 }, /depth of 5/],
    [{ ...rlr, windowLength: 4 }, /window of 4 steps does not fit the 3 steps/],
    [{ ...rlr, windows: 2 }, /Only importance coverage/],
    [{ ...rlr, proposal: { kind: 'emphasis', perStep: [1] } }, /given for 1 steps/],
  ] as const)('%o refuses a chain that it does not fit', (settings, sentence) => {
    expect(() => createAlgorithm(settings).assertPossible({ coefficients: chain.coefficients, differentiable: true })).toThrow(sentence)
  })

  it('without a gradient, the score function and zeroth order still work', async () => {
    const { gradient: _, ...blackBox } = rewardOf(chain)
    const context = { ...contextAt(0), reward: blackBox }
    for (const settings of [{ kind: 'zo', zerothOrder }, { kind: 'reinforce' }, { ...rlr, firstOrderDepth: 0 }] as const) {
      const { gradients } = await updateOnce(settings, context)
      expect(gradients[0]!.some((value) => value !== 0)).toBe(true)
    }
  })
})
