import { expect, it } from 'vitest'
import { klToBase } from '../../../main/engine/rewards/kl-to-base.ts'
import type { Denoiser, Parameters } from '../../../main/engine/rlr/denoiser.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { expectRefusal } from '../weights/crafted.ts'

/** e_i(x; θ) = θ_0 x² + (i + 1) θ_1 sin x, element by element. */
const denoiser: Denoiser = {
  parameterCount: 2,
  predict: (position, x, theta) => Promise.resolve(float32(x.shape, x.data.map((v) => predict(position, v, theta)))),
  vjp: (position, x, _theta, u) => {
    const dTheta = Float32Array.of(0, 0)
    x.data.forEach((v, i) => {
      dTheta[0]! += (u.data[i] ?? 0) * v * v
      dTheta[1]! += (u.data[i] ?? 0) * (position + 1) * Math.sin(v)
    })
    return Promise.resolve({ dx: x, dTheta })
  },
}

function predict(position: number, v: number, [a = 0, b = 0]: Parameters): number {
  return a * v * v + (position + 1) * b * Math.sin(v)
}

const coefficients = [{ kx: 1.1, ke: -0.4, sigma: 0.3 }, { kx: 1.05, ke: -0.2, sigma: 0.1 }, { kx: 1, ke: -0.1, sigma: 0 }]
const x = (seed: number): FloatTensor => float32([2, 1, 1, 3], Array.from({ length: 6 }, (_, i) => Math.sin(7 * i + seed)))
const latents = new Map([[0, x(1)], [1, x(2)], [2, x(3)]])
const theta = Float32Array.of(0.8, -0.5)
const base = Float32Array.of(0.3, 0.1)

it('is the KL of the steps’ Gaussians, averaged over noisy steps and the batch', async () => {
  const { value } = await klToBase(denoiser, coefficients, latents, theta, base)
  const of = (position: number, sigma: number, ke: number): number => {
    const moves = latents.get(position)!.data.map((v) => ke * (predict(position, v, theta) - predict(position, v, base)))
    return moves.reduce((sum, move) => sum + move ** 2, 0) / (2 * sigma ** 2)
  }
  expect(value).toBeCloseTo((of(0, 0.3, -0.4) + of(1, 0.1, -0.2)) / 4, 5)
})

it('is the mean square of the predictions’ difference when asked for that', async () => {
  const { value } = await klToBase(denoiser, coefficients, new Map([[2, x(3)]]), theta, base, 'prediction')
  const squares = x(3).data.map((v) => (predict(2, v, theta) - predict(2, v, base)) ** 2)
  expect(value).toBeCloseTo(squares.reduce((sum, square) => sum + square, 0) / 6, 6)
})

it.each(['kl', 'prediction'] as const)('has the gradient its values show (%s)', async (measure) => {
  const at = async (shift: readonly number[]): Promise<number> => {
    return (await klToBase(denoiser, coefficients, latents, theta.map((v, i) => v + (shift[i] ?? 0)), base, measure)).value
  }
  const { dTheta } = await klToBase(denoiser, coefficients, latents, theta, base, measure)
  const step = 1e-2
  for (const [i, shift] of [[step, 0], [0, step]].entries()) {
    const numeric = ((await at(shift)) - (await at(shift.map((v) => -v)))) / (2 * step)
    expect(Math.abs((dTheta[i] ?? 0) - numeric)).toBeLessThan(1e-3 * Math.abs(numeric))
  }
})

it('is zero, with zero gradient, at the base', async () => {
  const { value, dTheta } = await klToBase(denoiser, coefficients, latents, base, base)
  expect([value, ...dTheta]).toEqual([0, 0, 0])
})

it('refuses the KL of a chain without noise', async () => {
  await expectRefusal(klToBase(denoiser, coefficients, new Map([[2, x(1)]]), theta, base), 'recipe.impossible', 'without noise')
})
