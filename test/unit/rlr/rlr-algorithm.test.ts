import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import { createAlgorithm, type Algorithm, type AlgorithmSettings } from '../../../main/engine/rlr/algorithm.ts'
import { SMALL, denoiserOf, linearGaussianChain, rewardOf } from '../../golden/linear-gaussian/chain.ts'
import { contextOf } from '../../golden/linear-gaussian/draws.ts'

const chain = linearGaussianChain(SMALL)
const settings: Extract<AlgorithmSettings, { kind: 'rlr' }> = {
  kind: 'rlr',
  firstOrderDepth: 1,
  windowLength: 1,
  windows: 1,
  coverage: 'importance',
  proposal: { kind: 'gradient-norm', temperature: 0.3 },
  zerothOrder: { form: 'antithetic', mu: 0.01, pairs: 1 },
  firstOrderWeight: 1,
  baseline: 'learned',
}

async function run(algorithm: Algorithm, from: number, to: number): Promise<number[]> {
  const gradients: number[] = []
  for (let update = from; update < to; update++) {
    await algorithm.update(contextOf(chain, denoiserOf(chain), rewardOf(chain), new Random(2), update), async (gradient) => {
      gradients.push(...gradient)
      return chain.theta
    })
  }
  return gradients
}

describe('the memory of rlr', () => {
  it('goes on to the bit from its exported state', async () => {
    const straight = createAlgorithm(settings)
    await run(straight, 0, 20)
    const state = straight.state()
    const resumed = createAlgorithm(settings)
    resumed.restore(state)
    expect(await run(resumed, 20, 40)).toEqual(await run(straight, 20, 40))
    expect(resumed.state()).toEqual(straight.state())
  })

  it('matters: without its state an update goes another way', async () => {
    const straight = createAlgorithm(settings)
    await run(straight, 0, 20)
    expect(await run(createAlgorithm(settings), 20, 40)).not.toEqual(await run(straight, 20, 40))
  })

  it('is a copy: what comes after does not change an exported state', async () => {
    const algorithm = createAlgorithm(settings)
    await run(algorithm, 0, 3)
    const state = algorithm.state()
    const before = structuredClone(state)
    await run(algorithm, 3, 6)
    expect(state).toEqual(before)
  })

  it('refuses a state that is not its own', async () => {
    const algorithm = createAlgorithm(settings)
    await run(algorithm, 0, 1)
    const { 'baseline.targets': _, ...incomplete } = algorithm.state()
    expect(() => createAlgorithm(settings).restore(incomplete)).toThrow(/learned baseline/)
    expect(() => createAlgorithm({ kind: 'full' }).restore(algorithm.state())).toThrow(/does not keep/)
  })

  it('begins anew from an empty state', async () => {
    const algorithm = createAlgorithm(settings)
    const fresh = await run(algorithm, 0, 5)
    algorithm.restore({})
    expect(algorithm.state()).toEqual({})
    expect(await run(algorithm, 0, 5)).toEqual(fresh)
  })
})

describe('biased', () => {
  const rlr = (changes: Partial<typeof settings>): string | undefined => createAlgorithm({ ...settings, ...changes }).biased

  it('is not said of full coverage', () => {
    expect(rlr({})).toBeUndefined()
    expect(rlr({ coverage: 'zeroth-order' })).toBeUndefined()
    expect(rlr({ firstOrderDepth: 0, firstOrderWeight: 0.5, coverage: 'zeroth-order' })).toBeUndefined()
  })

  it('is said of steps that are left out and of weights', () => {
    expect(rlr({ coverage: 'none' })).toMatch(/left out/)
    expect(rlr({ windows: 0 })).toMatch(/left out/)
    expect(rlr({ firstOrderDepth: 0 })).toMatch(/last step/)
    expect(rlr({ firstOrderWeight: 0.5 })).toMatch(/weight of 0.5/)
  })
})
