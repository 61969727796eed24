import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import { createAlgorithm, type AlgorithmSettings } from '../../../main/engine/rlr/algorithm.ts'
import { PAPER, estimatorGrid } from '../../../main/engine/rlr/measure/estimator-grid.ts'
import { GradientMoments, dot, jackknife, productOfMeans } from '../../../main/engine/rlr/measure/gradient-moments.ts'
import { bestOf, measureEstimators, type EstimatorFigures } from '../../../main/engine/rlr/measure/measure-estimators.ts'
import { SMALL, denoiserOf, linearGaussianChain, rewardOf } from '../../golden/linear-gaussian/chain.ts'
import { contextOf } from '../../golden/linear-gaussian/draws.ts'

const chain = linearGaussianChain(SMALL)
const random = new Random(6)
const context = async (draw: number) => contextOf(chain, denoiserOf(chain), rewardOf(chain), random, draw)

describe('GradientMoments', () => {
  const gradients = Array.from({ length: 23 }, (_, i) => random.normal('sample', [i], [3]).data)
  const moments = new GradientMoments()
  gradients.forEach((gradient) => moments.add(gradient))

  it('has mean and variance of all draws', () => {
    const { count, mean, variance } = moments.without()
    const expected = [0, 1, 2].map((k) => gradients.reduce((sum, gradient) => sum + gradient[k]!, 0) / 23)
    const squares = gradients.reduce((sum, gradient) => sum + gradient.reduce((all, value, k) => all + (value - expected[k]!) ** 2, 0), 0)
    expect(count).toBe(23)
    expected.forEach((value, k) => expect(mean[k]).toBeCloseTo(value, 10))
    expect(variance).toBeCloseTo(squares / 22, 10)
  })

  it('leaves a block out', () => {
    const { count, mean } = moments.without(4)
    const kept = gradients.filter((_, i) => i % 10 !== 4)
    expect(count).toBe(kept.length)
    expect(mean[0]).toBeCloseTo(kept.reduce((sum, gradient) => sum + gradient[0]!, 0) / kept.length, 10)
  })

  it('gives the standard error of a mean that its draws have', () => {
    const many = new GradientMoments()
    const values = random.normal('sample', [99], [2000]).data
    values.forEach((value) => many.add(Float32Array.of(value)))
    const { standardError } = jackknife(many.blocks, (without) => many.without(without).mean[0]!)
    expect(standardError).toBeGreaterThan(0.5 / Math.sqrt(2000))
    expect(standardError).toBeLessThan(2 / Math.sqrt(2000))
  })

  it('has no standard error from a single draw', () => {
    const one = new GradientMoments()
    one.add(Float32Array.of(3))
    expect(jackknife(one.blocks, (without) => one.without(without).mean[0]!)).toEqual({ value: 3, standardError: NaN })
  })
})

describe('productOfMeans', () => {
  /** A mean of length 1, in 50 numbers, and noise that two estimators share. */
  const pair = (index: number): { a: GradientMoments; b: GradientMoments } => {
    const [a, b] = [new GradientMoments(), new GradientMoments()]
    for (let draw = 0; draw < 12; draw++) {
      const noise = random.normal('sample', [index, draw], [50]).data
      const gradient = noise.map((value, i) => value + (i === 0 ? 1 : 0))
      a.add(gradient)
      b.add(gradient.map((value) => 2 * value))
    }
    return { a, b }
  }
  const pairs = Array.from({ length: 400 }, (_, index) => pair(index))
  const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

  it('is that of the true means, where the same noise in both makes more of the means of the draws', () => {
    // ‖noise‖² / draws = 50 / 12 on top.
    expect(average(pairs.map(({ a, b }) => dot(a.without().mean, b.without().mean)))).toBeGreaterThan(9)
    expect(average(pairs.map(({ a, b }) => productOfMeans(a, b)))).toBeCloseTo(2, 0)
  })

  it('leaves a block out of both, and has no pairs in a single one', () => {
    const [x, y] = [new GradientMoments(), new GradientMoments()]
    for (const [value, i] of [[1, 0], [2, 1], [5, 2]] as const) {
      x.add(Float32Array.of(value))
      y.add(Float32Array.of(10 + i))
    }
    expect(productOfMeans(x, y)).toBeCloseTo((1 * 11 + 1 * 12 + 2 * 10 + 2 * 12 + 5 * 10 + 5 * 11) / 6, 10)
    expect(productOfMeans(x, y, 1)).toBeCloseTo((1 * 12 + 5 * 10) / 2, 10)
    const single = new GradientMoments()
    single.add(Float32Array.of(1))
    expect(productOfMeans(single, single)).toBeNaN()
  })
})

describe('measureEstimators', () => {
  it('finds unbiased estimators unbiased, and biased ones biased, against full over the same draws', async () => {
    const figures = await measureEstimators(
      [
        { label: 'full', settings: { kind: 'full' } },
        { label: 'importance', settings: { ...PAPER, coverage: 'importance', windows: 3 } },
        { label: 'none', settings: { ...PAPER, coverage: 'none' } },
        { label: 'alignprop', settings: { kind: 'alignprop', depth: 1 } },
      ],
      { draws: 4000, context },
    )
    const [full, importance, none, alignprop] = figures
    expect(full).toMatchObject({ biased: null, forwards: 4, vjps: 4, draws: 4000 })
    expect(full!.cosine!.value).toBeCloseTo(1, 10)
    expect(full!.share!.value).toBeCloseTo(1, 10)
    expect(Math.abs(importance!.share!.value - 1)).toBeLessThan(3 * importance!.share!.standardError)
    expect(importance!.cosine!.value).toBeGreaterThan(0.9)
    for (const biased of [none!, alignprop!]) {
      expect(biased.biased).not.toBeNull()
      expect(Math.abs(biased.share!.value - 1)).toBeGreaterThan(5 * biased.share!.standardError)
    }
    expect(importance!.variance.value).toBeGreaterThan(full!.variance.value)
    expect(importance!.varianceSeconds.value).toBeCloseTo(importance!.variance.value * importance!.seconds, 10)
  })

  it('tells the share from pairs of different draws', async () => {
    const [full, none] = [{ kind: 'full' }, { ...PAPER, coverage: 'none' }] as const
    const gradientOf = async (settings: AlgorithmSettings, draw: number): Promise<Float64Array> => {
      const drawn = await context(draw)
      let gradient = new Float64Array()
      await createAlgorithm(settings).update(drawn, async (given) => {
        gradient = Float64Array.from(given)
        return drawn.theta
      })
      return gradient
    }
    const [exact0, exact1] = [await gradientOf(full, 0), await gradientOf(full, 1)]
    const expected = (dot(await gradientOf(none, 0), exact1) + dot(await gradientOf(none, 1), exact0)) / (2 * dot(exact0, exact1))
    const candidates = [{ label: 'full', settings: full }, { label: 'none', settings: none }]
    const [, figures] = await measureEstimators(candidates, { draws: 2, context })
    expect(figures!.share!.value / expected).toBeCloseTo(1, 5)
  })

  it('compares with nothing where the reward has no gradient', async () => {
    const { gradient: _, ...blackBox } = rewardOf(chain)
    const candidates = estimatorGrid({ coefficients: chain.coefficients, differentiable: false })
    expect(candidates.map(({ settings }) => settings.kind)).not.toContain('full')
    const [first] = candidates
    const judged = async (draw: number) => ({ ...(await context(draw)), reward: blackBox })
    const [figures] = await measureEstimators([first!], { draws: 5, context: judged })
    expect(figures).toMatchObject({ cosine: null, share: null })
    expect(figures!.variance.value).toBeGreaterThan(0)
  })

  it('does not move the parameters, whatever an algorithm does with its optimizer', async () => {
    const before = [...chain.theta]
    const settings = { kind: 'public-code', firstOrderWeight: 1, halfOrderWeight: 1, chainLength: 2, clip: 1e-4 } as const
    await measureEstimators([{ label: 'public-code', settings }], { draws: 3, context })
    expect([...chain.theta]).toEqual(before)
  })
})

describe('estimatorGrid', () => {
  it('holds what fits the chain, the exact gradient first and the recipe\'s own after it', () => {
    const labels = estimatorGrid({ coefficients: chain.coefficients, differentiable: true }, PAPER).map(({ label }) => label)
    expect(labels.slice(0, 2)).toEqual(['full', 'the recipe\'s'])
    expect(labels).toContain('rlr, zeroth order, h = 2')
    expect(labels.filter((label) => /h = (4|8)|K = 4/.test(label))).toEqual([])
    expect(new Set(labels).size).toBe(labels.length)
    // Through all of the four steps but those next to the noise, which is half of them, too.
    expect(labels.filter((label) => label.endsWith('h = 1, m = 2'))).toEqual(['rlr, importance, K = 2, h = 1, m = 2'])
  })

  it('holds only what needs no noise on a chain without any', () => {
    const coefficients = chain.coefficients.map(({ kx, ke }) => ({ kx, ke, sigma: 0 }))
    const kinds = estimatorGrid({ coefficients, differentiable: true }).map(({ settings }) => settings.kind)
    expect([...new Set(kinds)].sort()).toEqual(['alignprop', 'full', 'zo'])
  })
})

describe('bestOf', () => {
  const one = (label: string, value: number, biased: string | null = null) =>
    ({ label, biased, varianceSeconds: { value, standardError: 0 } }) as EstimatorFigures

  it('is the unbiased one with the least variance × time, the exact gradient aside', () => {
    expect(bestOf([one('full', 1), one('a', 3), one('b', 2), one('c', 0.5, 'why')])?.label).toBe('b')
    expect(bestOf([one('full', 1), one('c', 0.5, 'why')])).toBeUndefined()
  })
})
