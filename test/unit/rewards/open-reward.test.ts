import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { blackBox } from '../../../main/engine/rewards/black-box.ts'
import { openReward, type RewardContext } from '../../../main/engine/rewards/open-reward.ts'
import { parseRewardSpec } from '../../../main/engine/rewards/reward-recipe.ts'
import { golden } from '../models/fixtures.ts'
import { expectRefusal } from '../weights/crafted.ts'
import { goldenPrompts, goldenTensor, place, REWARDS } from './fixtures.ts'

const CLIP = join(REWARDS, 'clip')
const context: RewardContext = { ...place(), readPicture: () => goldenTensor('references') }

it('opens every kind and mixes them with their gradients', async () => {
  const parts = [
    { kind: 'critic', path: golden('onnx/resnet.onnx'), target: { index: 1, transform: 'probability' }, name: 'critic' },
    { kind: 'aesthetic', path: CLIP, head: join(REWARDS, 'head.safetensors'), weight: 2 },
    { kind: 'prompt-match', path: CLIP },
    { kind: 'pickscore', path: CLIP, divideBy: 100, normalise: true },
    { kind: 'hpsv2', path: join(REWARDS, 'openclip/openclip.safetensors') },
    { kind: 'likeness', path: CLIP, pictures: ['fox.png'], clip: [0, 1] },
  ]
  const mixture = await openReward(parseRewardSpec({ kind: 'mixture', parts }), context)
  onTestFinished(() => mixture.dispose())
  expect(mixture.partNames).toEqual(['critic', 'aesthetic', 'prompt match', 'PickScore', 'HPSv2', 'likeness'])
  const [pictures, prompts] = [await goldenTensor('pictures'), await goldenPrompts()]
  const { values, dPictures } = await mixture.gradient!(pictures, prompts, Float64Array.of(1, 1))
  expect(values).toEqual(await mixture.evaluate(pictures, prompts))
  expect(dPictures.shape).toEqual(pictures.shape)
  const raw = Object.fromEntries(mixture.latest.map((part) => [part.name, part.raw[0]!]))
  expect(raw.aesthetic).toBeCloseTo((await goldenTensor('aesthetic.value')).data[0]!, 5)
  expect(raw.likeness).toBeCloseTo((await goldenTensor('likeness.value')).data[0]!, 5)
})

it('opens one reward as a mixture of one, beside functions', async () => {
  const judge = { reward: blackBox('person', () => [1, 2]), weight: 1 }
  const mixture = await openReward(parseRewardSpec({ kind: 'prompt-match', path: CLIP, weight: 3 }), context, [judge])
  onTestFinished(() => mixture.dispose())
  expect(mixture.weights).toEqual({ 'prompt match': 3, 'person': 1 })
  expect(mixture.gradient).toBeUndefined()
  const values = await mixture.evaluate(await goldenTensor('pictures'), await goldenPrompts())
  expect(values[1]).toBeCloseTo(3 * (await goldenTensor('prompt-match.value')).data[1]! + 2, 5)
})

it('refuses two rewards of one name', async () => {
  const spec = parseRewardSpec({ kind: 'mixture', parts: [{ kind: 'prompt-match', path: CLIP }, { kind: 'prompt-match', path: CLIP }] })
  await expectRefusal(openReward(spec, context), 'recipe.impossible', 'prompt match')
})

it('names the file that a reward needs and that is not there', async () => {
  const spec = parseRewardSpec({ kind: 'hpsv2', path: 'nowhere.safetensors' })
  await expectRefusal(openReward(spec, context), 'file.missing', 'nowhere.safetensors')
})
