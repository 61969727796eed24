import { expect, it } from 'vitest'
import { blackBox } from '../../../main/engine/rewards/black-box.ts'
import { measureFloors, referenceReward } from '../../../main/engine/rewards/reference-reward.ts'
import { picturesOf, slopes, squares } from './fixtures.ts'

const guarded = referenceReward(squares(), { floors: new Map([['old', 6]]), strength: 3 })

it('only loses by reference prompts, and is the reward itself on others', async () => {
  const values = await guarded.evaluate(picturesOf([4, 4, 9]), ['new', 'old', 'old'])
  expect([...values]).toEqual([4, -6, 0])
})

it('has the gradient its values show', async () => {
  const direction = Float32Array.of(1, 0, 0, 1, 0, 0, 1, 0, 0)
  const weights = Float64Array.of(0.5, -1, 2)
  const { numeric, analytic } = await slopes(guarded, picturesOf([4, 4, 9]), ['new', 'old', 'old'], weights, direction, 1e-2)
  expect(analytic).toBeCloseTo(numeric, 3)
})

it('has no gradient where the reward has none', () => {
  const reward = referenceReward(blackBox('box', () => []), { floors: new Map(), strength: 1 })
  expect(reward.gradient).toBeUndefined()
  expect(reward.whyNoGradient).toContain('function')
})

it('measures the mean of each prompt as its floor', async () => {
  const floors = await measureFloors(squares(), picturesOf([4, 16, 9]), ['a', 'a', 'b'])
  expect([...floors]).toEqual([['a', 10], ['b', 9]])
})

it.each([0, -1, NaN])('refuses the strength %d', (strength) => {
  expect(() => referenceReward(squares(), { floors: new Map(), strength })).toThrow('is not positive')
})
