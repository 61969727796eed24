import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openAesthetic } from '../../../main/engine/rewards/aesthetic.ts'
import { openHpsV2 } from '../../../main/engine/rewards/hps-v2.ts'
import { openLikeness } from '../../../main/engine/rewards/likeness.ts'
import { openPickScore } from '../../../main/engine/rewards/pick-score.ts'
import { openPromptMatch } from '../../../main/engine/rewards/prompt-match.ts'
import type { Reward } from '../../../main/engine/rewards/reward.ts'
import type { RewardPlace } from '../../../main/engine/rewards/scoring-network.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { noise, relativeError } from '../models/fixtures.ts'
import { expectRefusal, temporaryFolder } from '../weights/crafted.ts'
import { goldenPrompts, goldenTensor, place, REWARDS } from './fixtures.ts'

const CLIP = join(REWARDS, 'clip')
const HEAD = join(REWARDS, 'head.safetensors')
const OPENCLIP = join(REWARDS, 'openclip/openclip.safetensors')

async function opened(reward: Promise<Reward>): Promise<Reward> {
  const open = await reward
  onTestFinished(() => open.dispose())
  return open
}

const openers: Readonly<Record<string, (where: RewardPlace) => Promise<Reward>>> = {
  'prompt-match': (where) => openPromptMatch(CLIP, {}, where),
  'pick-score': (where) => openPickScore(CLIP, {}, where),
  'aesthetic': (where) => openAesthetic(CLIP, HEAD, where),
  'likeness': async (where) => openLikeness(CLIP, [await goldenTensor('references')], where),
  'hps-v2': (where) => openHpsV2(OPENCLIP, where),
}

describe.each(Object.keys(openers))('%s', (name) => {
  it('gives PyTorch’s values and gradients', async () => {
    const reward = await opened(openers[name]!(place()))
    const [pictures, prompts] = [await goldenTensor('pictures'), await goldenPrompts()]
    const weights = Float64Array.from((await goldenTensor('weights')).data)
    const value = await goldenTensor(`${name}.value`)
    expect(relativeError(float32(value.shape, [...(await reward.evaluate(pictures, prompts))]), value)).toBeLessThan(1e-4)
    const { values, dPictures } = await reward.gradient!(pictures, prompts, weights)
    expect(relativeError(float32(value.shape, [...values]), value)).toBeLessThan(1e-4)
    expect(relativeError(dPictures, await goldenTensor(`${name}.gradient`))).toBeLessThan(1e-4)
  })

  it('judges any number of pictures, whatever it computes at once', async () => {
    const [pictures, prompts] = [await goldenTensor('pictures'), await goldenPrompts()]
    const three = float32([3, 3, 40, 36], [...pictures.data, ...pictures.data.slice(0, pictures.data.length / 2)])
    const threePrompts = [...prompts, prompts[0]!]
    const weights = Float64Array.of(0.7, -1.3, 2)
    const reward = await opened(openers[name]!(place({ batch: 2 })))
    const single = await opened(openers[name]!(place({ batch: 1 })))
    const ours = await reward.gradient!(three, threePrompts, weights)
    const theirs = await single.gradient!(three, threePrompts, weights)
    expect(ours.values).toHaveLength(3)
    ours.values.forEach((value, b) => expect(value).toBeCloseTo(theirs.values[b]!, 5))
    expect(ours.values[2]).toBeCloseTo(ours.values[0]!, 5)
    expect(relativeError(ours.dPictures, theirs.dPictures)).toBeLessThan(1e-4)
  })
})

it('agrees in half precision as far as that goes', async () => {
  const reward = await opened(openPromptMatch(CLIP, {}, place({ precision: 'float16' })))
  const weights = Float64Array.from((await goldenTensor('weights')).data)
  const { values, dPictures } = await reward.gradient!(await goldenTensor('pictures'), await goldenPrompts(), weights)
  const value = await goldenTensor('prompt-match.value')
  expect(relativeError(float32(value.shape, [...values]), value)).toBeLessThan(0.02)
  expect(relativeError(dPictures, await goldenTensor('prompt-match.gradient'))).toBeLessThan(0.02)
})

it('gives logits, or a part of PickScore, when asked to', async () => {
  const [pictures, prompts] = [await goldenTensor('pictures'), await goldenPrompts()]
  const [whole = NaN] = await (await opened(openPickScore(CLIP, {}, place()))).evaluate(pictures, prompts)
  const [hundredth] = await (await opened(openPickScore(CLIP, { divideBy: 100 }, place()))).evaluate(pictures, prompts)
  const [logit] = await (await opened(openPromptMatch(CLIP, { scale: 'logit' }, place()))).evaluate(pictures, prompts)
  expect(hundredth).toBeCloseTo(whole / 100, 6)
  expect(logit).toBeCloseTo(whole, 5)
})

it('reads the weights’ own file with its config beside it as it reads the folder', async () => {
  const [pictures, prompts] = [await goldenTensor('pictures'), await goldenPrompts()]
  const file = await opened(openHpsV2(join(CLIP, 'model.safetensors'), place()))
  const [value] = await file.evaluate(pictures, prompts)
  expect(value).toBeCloseTo((await goldenTensor('prompt-match.value')).data[0]!, 5)
})

it('does not fail on pictures far outside [0, 1]', async () => {
  const wild = float32([2, 3, 40, 36], noise([2, 3, 40, 36]).data.map((x) => 50 * x))
  const reward = await opened(openPromptMatch(CLIP, {}, place()))
  const { values, dPictures } = await reward.gradient!(wild, await goldenPrompts(), Float64Array.of(1, 1))
  expect([...values, ...dPictures.data].every(Number.isFinite)).toBe(true)
})

it('takes the mean over references of several sizes', async () => {
  const references = await goldenTensor('references')
  const half = references.data.length / 2
  const pieces: FloatTensor[] = [0, 1].map((i) => float32([1, 3, 33, 33], references.data.slice(i * half, (i + 1) * half)))
  const other = noise([1, 3, 50, 30])
  const [pictures, prompts] = [await goldenTensor('pictures'), await goldenPrompts()]
  const of = async (set: readonly FloatTensor[]) => (await opened(openLikeness(CLIP, set, place()))).evaluate(pictures, prompts)
  const [apart, alone] = [await of([other]), await of(pieces)]
  const together = await of([pieces[0]!, other, pieces[1]!])
  together.forEach((value, b) => expect(value).toBeCloseTo((2 * alone[b]! + apart[b]!) / 3, 5))
})

it('likens a picture to itself with cosine 1', async () => {
  const pictures = await goldenTensor('pictures')
  const first = float32([1, 3, 40, 36], pictures.data.slice(0, pictures.data.length / 2))
  const reward = await opened(openLikeness(CLIP, [first], place({ batch: 1 })))
  expect((await reward.evaluate(first, ['']))[0]).toBeCloseTo(1, 5)
})

describe('is refused in a sentence', () => {
  it('without references', async () => {
    await expectRefusal(openLikeness(CLIP, [], place()), 'recipe.impossible', 'at least one reference')
  })

  it('when the head belongs to another model', async () => {
    const head = join(await temporaryFolder(), 'head.safetensors')
    await writeSafetensors(head, [['layers.0.weight', noise([1, 768])], ['layers.0.bias', noise([1])]])
    await expectRefusal(openAesthetic(CLIP, head, place()), 'weights.wrong-shape', 'layers.0.weight', '1×768', '1×20')
  })

  it('when the head does not end in one score', async () => {
    const head = join(await temporaryFolder(), 'head.safetensors')
    await writeSafetensors(head, [['layers.0.weight', noise([4, 20])], ['layers.0.bias', noise([4])]])
    await expectRefusal(openAesthetic(CLIP, head, place()), 'weights.wrong-shape', head, 'layers.0')
  })

  it('when the head has no layers', async () => {
    await expectRefusal(openAesthetic(CLIP, OPENCLIP, place()), 'weights.missing-tensor', 'layers.0.weight')
  })

  it('when the tokenizer has more tokens than the text tower', async () => {
    const folder = join(await temporaryFolder(), 'clip')
    await cp(CLIP, folder, { recursive: true })
    for (const name of ['vocab.json', 'merges.txt', 'tokenizer_config.json']) await rm(join(folder, name))
    await expectRefusal(openPromptMatch(folder, {}, place()), 'tokenizer.malformed', folder, '49408', '1024')
  })

  it('when the model cannot read prompts', async () => {
    const folder = join(REWARDS, '../clip-vision-micro/image_encoder')
    await expectRefusal(openPromptMatch(folder, {}, place()), 'model.missing-component', 'text tower')
  })

  it('when the factor of the logits is missing', async () => {
    const folder = join(REWARDS, '../clip-vision-micro/image_encoder')
    await expectRefusal(openPickScore(folder, {}, place()), 'weights.missing-tensor', 'logit_scale')
  })

  it('when the file is a pickle', async () => {
    const file = join(await temporaryFolder(), 'HPS_v2.1_compressed.pt')
    await writeFile(file, Uint8Array.of(0x80, 2, 0x7d))
    await expectRefusal(openHpsV2(file, place()), 'weights.pickled', file)
  })

  it('when nothing is there', async () => {
    await expectRefusal(openHpsV2(join(REWARDS, 'nothing'), place()), 'file.missing', 'nothing')
  })
})
