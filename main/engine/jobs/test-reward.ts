import { readPicture } from '../pictures/read-picture.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { openReward } from '../rewards/open-reward.ts'
import { parseRewardSpec } from '../rewards/reward-recipe.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

type Reading = EngineJobs['reward.test']['result'][number]

/** Opens the reward once for each size of picture, and has it judge them one by one, before anything is learned from. */
export const testReward: JobHandler<EngineJobs['reward.test']> = async ({ reward, pictures, device, precision }, { progress }) => {
  const spec = parseRewardSpec(reward)
  const readings: Reading[] = []
  let done = 0
  const read = await Promise.all(pictures.map(async ({ path, prompt }, place) => ({ place, prompt, picture: await readPicture(path) })))
  for (const sameSize of Map.groupBy(read, ({ picture }) => sizeOf(picture).join('×')).values()) {
    const [height, width] = sizeOf(sameSize[0]!.picture)
    const judge = await openReward(spec, { device, precision, batch: 1, height, width, readPicture })
    try {
      for (const { place, prompt, picture } of sameSize) {
        const [value = 0] = await judge.evaluate(picture, [prompt])
        readings[place] = { value, parts: Object.fromEntries(judge.latest.map(({ name, raw }) => [name, raw[0] ?? 0])) }
        progress({ done: ++done })
      }
    } finally {
      await judge.dispose()
    }
  }
  return readings
}

/** Height and width of [1, 3, h, w]. */
function sizeOf({ shape: [, , height = 1, width = 1] }: FloatTensor): [number, number] {
  return [height, width]
}
