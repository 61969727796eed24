import { describe, expect, it } from 'vitest'
import { Mixture } from '../../../main/engine/rewards/mixture.ts'
import { varietyReward } from '../../../main/engine/rewards/variety.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'

/** Pictures of one pixel each, every channel of one value. */
const grey = (values: readonly number[]): FloatTensor =>
  float32([values.length, 3, 1, 1], Float32Array.from(values.flatMap((value) => [value, value, value])))
const reward = varietyReward()
const near = (value: number): number => expect.closeTo(value, 5) as number

describe('variety', () => {
  it('is the mean distance to the other pictures of the same prompt', async () => {
    const values = await reward.evaluate(grey([0, 0.5, 1, 0.2]), ['fox', 'fox', 'fox', 'cat'])
    expect([...values]).toEqual([0.75, 0.5, 0.75, 0].map(near))
  })

  it('has the gradient its values show when the other pictures stay as they are', async () => {
    const pictures = new Random(1).uniform('sample', [0], 4 * 3 * 2 * 2)
    const prompts = ['fox', 'fox', 'cat', 'fox']
    const weights = Float64Array.of(0.3, -2, 5, 1)
    const at = (data: readonly number[]): FloatTensor => float32([4, 3, 2, 2], Float32Array.from(data))
    const { values, dPictures } = await reward.gradient!(at(pictures), prompts, weights)
    expect(values).toEqual(await reward.evaluate(at(pictures), prompts))
    const step = 1e-2
    for (let i = 0; i < pictures.length; i++) {
      const own = Math.floor(i / 12)
      const moved = async (by: number): Promise<number> => (await reward.evaluate(at(pictures.with(i, pictures[i]! + by)), prompts))[own]!
      const slope = ((await moved(step)) - (await moved(-step))) / (2 * step)
      expect(dPictures.data[i]).toBeCloseTo(weights[own]! * slope, 3)
    }
  })

  it('is 0 with a finite gradient between pictures that are equal', async () => {
    const { values, dPictures } = await reward.gradient!(grey([0.4, 0.4]), ['fox', 'fox'], Float64Array.of(1, 1))
    expect([...values]).toEqual([0, 0].map(near))
    expect([...dPictures.data]).toEqual(Array.from({ length: 6 }, () => near(0)))
  })

  it('stops drawing pictures apart where a mixture clips it', async () => {
    const mixture = new Mixture([{ reward, weight: 3, clip: [0, 0.4] }])
    const { dPictures } = await mixture.gradient!(grey([0, 0.1, 0.2, 1]), ['fox', 'fox', 'fox', 'fox'], Float64Array.of(1, 1, 1, 1))
    // Per channel, a third of the weight times the share of a distance: the outer two are far enough from the others.
    expect([0, 3, 6, 9].map((k) => dPictures.data[k])).toEqual([0, -1 / 3, 1 / 3, 0].map(near))
  })
})
