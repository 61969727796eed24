import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import { clippedRatio, type TakenStep } from '../../../main/engine/rlr/clipped-ratio.ts'
import { halfOrder } from '../../../main/engine/rlr/half-order.ts'
import { takenSteps } from '../../../main/engine/rlr/taken-steps.ts'
import { SMALL, denoiserOf, linearGaussianChain, rewardOf, stepMatrix, stepOffset } from '../../golden/linear-gaussian/chain.ts'
import { contextOf } from '../../golden/linear-gaussian/draws.ts'

const chain = linearGaussianChain(SMALL)
const denoiser = denoiserOf(chain)
const context = contextOf(chain, denoiser, rewardOf(chain), new Random(1), 0)
const advantages = [1.5, -0.5, 0.7, -1.1]
const moved = chain.theta.map((value, k) => value + 0.03 * (k + 1))

/** Σ_b d · min(ρ A, clip(ρ) A) in double precision, straight from the densities. */
function surrogate({ position, coefficients: { kx, ke, sigma }, from, to, z }: TakenStep, theta: ArrayLike<number>, clip: number): number {
  const { d, groups } = chain
  return groups.reduce((sum, prompt, b) => {
    const matrix = stepMatrix(chain, position, theta)
    const offset = stepOffset(chain, position, prompt, theta)
    let difference = 0
    for (let i = 0; i < d; i++) {
      let e = offset[i]!
      for (let j = 0; j < d; j++) e += matrix[i * d + j]! * from.data[b * d + j]!
      const r = (to.data[b * d + i]! - kx * from.data[b * d + i]! - ke * e) / sigma
      difference += (z.data[b * d + i]! ** 2 - r ** 2) / 2
    }
    const ratio = Math.exp(difference / d)
    const a = advantages[b]!
    return sum + d * Math.min(ratio * a, Math.min(Math.max(ratio, 1 - clip), 1 + clip) * a)
  }, 0)
}

describe('clippedRatio', () => {
  it.each([
    ['wide', 10, 0],
    ['narrow', 0.01, 1],
  ])('is the gradient of the surrogate for a %s bound', async (_, clip, fewestClipped) => {
    const { steps: [step] } = await takenSteps(context, [1])
    const { gradient, clipped } = await clippedRatio(denoiser, step!, moved, advantages, clip)
    expect(clipped).toBeGreaterThanOrEqual(fewestClipped)
    expect(clipped).toBeLessThan(advantages.length)
    const exact = Float64Array.from(moved)
    gradient.forEach((value, k) => {
      const at = (offset: number): number => surrogate(step!, exact.map((theta, j) => theta + (j === k ? offset : 0)), clip)
      expect(value).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 3)
    })
  })

  it('is the score function where the parameters have not moved', async () => {
    const { steps: [step], latents } = await takenSteps(context, [2])
    const { gradient, clipped } = await clippedRatio(denoiser, step!, chain.theta, advantages, 1e-4)
    const window = { first: 2, last: 2 }
    const score = await halfOrder(denoiser, chain.coefficients, latents, window, chain.theta, step!.z, advantages)
    expect(clipped).toBe(0)
    gradient.forEach((value, k) => expect(value).toBeCloseTo(score.gradient[k]!, 3))
  })

  it('spends no gradient pass when every sample is clipped', async () => {
    const { steps: [step] } = await takenSteps(context, [1])
    const withoutGradient = { ...denoiser, vjp: () => Promise.reject(new Error('a gradient was asked for')) }
    // Advantages that favour what the move did to each sample's likelihood.
    const signs = await Promise.all(advantages.map(async (_, b) => {
      const one = advantages.map((__, i) => (i === b ? 1 : 0))
      return (await clippedRatio(denoiser, step!, moved, one, 1e-6)).gradient.every((value) => value === 0) ? 1 : -1
    }))
    const { gradient, clipped } = await clippedRatio(withoutGradient, step!, moved, signs, 1e-6)
    expect(clipped).toBe(4)
    expect([...gradient]).toEqual([0, 0, 0])
  })
})
