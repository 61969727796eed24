import { readPicture } from '../pictures/read-picture.ts'
import { joined } from '../pipeline/samples.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { openReward } from '../rewards/open-reward.ts'
import { comparesPictures, parseRewardSpec } from '../rewards/reward-recipe.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

type Reading = EngineJobs['reward.test']['result'][number]

/** A picture to be judged, and its place among those that were asked for. */
interface Asked {
  readonly place: number
  readonly prompt: string
  /** [1, 3, h, w] */
  readonly picture: FloatTensor
}

/**
 * Opens the reward once for each size of picture, and has it judge them before anything is learned from: one by one, or those of one
 * prompt together where the reward compares them.
 */
export const testReward: JobHandler<EngineJobs['reward.test']> = async ({ reward, pictures, device, precision }, { progress }) => {
  const spec = parseRewardSpec(reward)
  const readings: Reading[] = []
  let done = 0
  const read = await Promise.all(pictures.map(async ({ path, prompt }, place) => ({ place, prompt, picture: await readPicture(path) })))
  for (const sameSize of Map.groupBy(read, ({ picture }) => sizeOf(picture).join('×')).values()) {
    const [height, width] = sizeOf(sameSize[0]!.picture)
    const judge = await openReward(spec, { device, precision, batch: 1, height, width, readPicture })
    try {
      for (const group of comparesPictures(spec) ? ofOnePrompt(sameSize) : sameSize.map((one) => [one])) {
        const values = await judge.evaluate(joined(group.map(({ picture }) => picture)), group.map(({ prompt }) => prompt))
        group.forEach(({ place }, i) => {
          const parts = Object.fromEntries(judge.latest.map(({ name, raw }) => [name, raw[i] ?? 0]))
          readings[place] = { value: values[i] ?? 0, parts }
        })
        done += group.length
        progress({ done })
      }
    } finally {
      await judge.dispose()
    }
  }
  return readings
}

function ofOnePrompt(pictures: readonly Asked[]): Asked[][] {
  return [...Map.groupBy(pictures, ({ prompt }) => prompt).values()]
}

/** Height and width of [1, 3, h, w]. */
function sizeOf({ shape: [, , height = 1, width = 1] }: FloatTensor): [number, number] {
  return [height, width]
}
