import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openReward } from '../../../main/engine/rewards/open-reward.ts'
import { parseRewardSpec } from '../../../main/engine/rewards/reward-recipe.ts'
import { readPicture } from '../../../main/engine/pictures/read-picture.ts'
import type { EngineJobs } from '../../../main/engine/protocol.ts'
import { trainTaste } from '../../../main/engine/taste/train-taste.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { drawings, pairs, SIDE, writeDrawings } from './example-pictures.ts'

type Rating = EngineJobs['taste.train']['request']['ratings'][number]

const CLIP = join(import.meta.dirname, '..', '..', 'golden', 'rewards', 'clip')
const COUNT = 60
const all = drawings(COUNT)
let folder: string
let paths: string[]

beforeAll(async () => {
  ({ folder, paths } = await writeDrawings(all))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Someone who likes warm discs, and is undecided when two are about as warm. */
function likesWarm(count: number): Rating[] {
  return pairs(count, COUNT).map(({ left, right }) => {
    const more = all[left]!.warmth - all[right]!.warmth
    return { left, right, preferred: Math.abs(more) < 0.05 ? 'neither' : more > 0 ? 'left' : 'right' }
  })
}

const train = (ratings: Rating[], clip?: string): Promise<EngineJobs['taste.train']['result']> =>
  trainTaste({ pictures: paths, ratings, device: 'cpu', precision: 'float32', out: folder, ...(clip && { clip }) }, () => undefined)

const placeOf = (batch: number) => ({ device: 'cpu', precision: 'float32', batch, height: SIDE, width: SIDE, readPicture } as const)
const picturesOf = (drawn: typeof all) =>
  float32([drawn.length, 3, SIDE, SIDE], Float32Array.from(drawn.flatMap(({ pixels }) => [...pixels])))

describe('a taste', () => {
  it('recovers a planted preference well above chance, and on pictures it has never seen', async () => {
    const { accuracy, file, choices } = await train(likesWarm(80))
    expect(choices).toBeGreaterThan(60)
    expect(accuracy.trials).toBe(choices)
    expect(accuracy.low).toBeGreaterThan(0.6)
    const reward = await openReward(parseRewardSpec({ kind: 'taste', path: file }), placeOf(8))
    const unseen = drawings(40, 77)
    const scores = await reward.evaluate(picturesOf(unseen), unseen.map(() => ''))
    await reward.dispose()
    const right = pairs(100, 40, 3).filter(({ left, right: other }) =>
      (scores[left]! - scores[other]!) * (unseen[left]!.warmth - unseen[other]!.warmth) > 0).length
    expect(right).toBeGreaterThan(75)
  }, 60_000)

  it('is a reward whose gradient is the slope of its score', async () => {
    const { file } = await train(likesWarm(40))
    const reward = await openReward(parseRewardSpec({ kind: 'taste', path: file }), placeOf(2))
    const soft = all.slice(0, 2).map((drawing) => ({ ...drawing, pixels: drawing.pixels.map((value) => 0.2 + 0.6 * value) }))
    const pictures = picturesOf(soft)
    const { values, dPictures } = await reward.gradient!(pictures, ['', ''], Float64Array.of(1, 1))
    const norm = Math.hypot(...dPictures.data)
    const step = 1e-2
    const along = (sign: number) =>
      float32(pictures.shape, pictures.data.map((value, i) => value + (sign * step * dPictures.data[i]!) / norm))
    const [above, below] = [await reward.evaluate(along(1), ['', '']), await reward.evaluate(along(-1), ['', ''])]
    await reward.dispose()
    expect(values.every(Number.isFinite)).toBe(true)
    expect((above[0]! + above[1]! - below[0]! - below[1]!) / (2 * step)).toBeCloseTo(norm, -Math.log10(norm * 0.02))
  }, 60_000)

  it('gives the same file for the same ratings', async () => {
    const ratings = likesWarm(30)
    const scores = async (): Promise<Float64Array> => {
      const reward = await openReward(parseRewardSpec({ kind: 'taste', path: (await train(ratings)).file }), placeOf(4))
      return reward.evaluate(picturesOf(all.slice(0, 4)), ['', '', '', '']).finally(() => reward.dispose())
    }
    expect(await scores()).toEqual(await scores())
  }, 60_000)

  it('is learned on the embeddings of a CLIP model where there is one', async () => {
    const { file } = await train(likesWarm(40), CLIP)
    expect(file).toMatch(/\.safetensors$/)
    const reward = await openReward(parseRewardSpec({ kind: 'taste', path: CLIP, head: file }), placeOf(4))
    const scores = await reward.evaluate(picturesOf(all), all.map(() => ''))
    expect(reward.gradient).toBeDefined()
    await reward.dispose()
    const mean = scores.reduce((sum, value) => sum + value, 0) / COUNT
    expect(mean).toBeCloseTo(0, 1)
  }, 60_000)

  it('refuses too few choices in a plain sentence, and does not count what was left open', async () => {
    const some = likesWarm(12).map((rating) => ({ ...rating, preferred: 'left' as const }))
    const open = likesWarm(40).map((rating) => ({ ...rating, preferred: 'neither' as const }))
    await expect(train([...some, ...open])).rejects.toMatchObject({
      code: 'taste.too-few',
      message: 'A taste needs 20 choices between pictures, and there are 12.',
      nextStep: 'Choose in 8 more pairs.',
    })
  })

  it('names a picture that is gone', async () => {
    const gone = join(folder, 'gone.png')
    const request = { ratings: likesWarm(40), device: 'cpu' as const, precision: 'float32' as const, out: folder }
    const training = trainTaste({ ...request, pictures: [...paths.slice(1), gone] }, () => undefined)
    await expect(training).rejects.toMatchObject({ code: 'file.unreadable', details: { file: gone } })
  })
})
