import { expect, it } from 'vitest'
import { PictureNoise } from '../../../main/engine/diffusion/picture-noise.ts'

const shape = [1, 4, 16, 16]

it('gives the same numbers for a seed and a step whenever asked', () => {
  const noise = new PictureNoise(5, shape)
  const late = noise.step(3)
  expect([noise.start(), noise.step(3)]).toEqual([new PictureNoise(5, shape).start(), late])
})

it('gives each seed and each step numbers of its own, standard normal ones', () => {
  const noise = new PictureNoise(5, shape)
  const draws = [noise.start(), noise.step(0), noise.step(1), new PictureNoise(6, shape).start()].map(({ data }) => data)
  for (const [i, a] of draws.entries()) {
    expect(Math.abs(a.reduce((sum, value) => sum + value, 0) / a.length)).toBeLessThan(0.15)
    expect(Math.abs(a.reduce((sum, value) => sum + value * value, 0) / a.length - 1)).toBeLessThan(0.2)
    for (const b of draws.slice(i + 1)) expect(Math.abs(a.reduce((sum, value, k) => sum + value * b[k]!, 0) / a.length)).toBeLessThan(0.15)
  }
})
