import { expect, it } from 'vitest'
import { blackBox, type Judge } from '../../../main/engine/rewards/black-box.ts'
import { expectRefusal } from '../weights/crafted.ts'
import { picturesOf } from './fixtures.ts'

it('hands pictures and prompts to the function and has no gradient', async () => {
  const judge: Judge = (pictures, prompts) => Promise.resolve(prompts.map((prompt, b) => prompt.length + (pictures.data[3 * b] ?? 0)))
  const reward = blackBox('person', judge)
  expect([...(await reward.evaluate(picturesOf([4, 9]), ['a', 'bc']))]).toEqual([3, 5])
  expect(reward.gradient).toBeUndefined()
  expect(reward.whyNoGradient).toBe('it is a function without a derivative')
})

it('refuses another count of numbers than there are pictures', async () => {
  const evaluation = blackBox('person', () => [1]).evaluate(picturesOf([4, 9]), ['', ''])
  await expectRefusal(evaluation, 'recipe.impossible', 'person', '1 numbers', '2 pictures')
})

it('refuses prompts that do not go with the pictures', async () => {
  await expectRefusal(blackBox('person', () => [1]).evaluate(picturesOf([4, 9]), ['']), 'internal', '1 prompts')
})
