import { bucketSizes, nearestBucket } from '../dataset/aspect-buckets.ts'
import { HalfstepError } from '../errors.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Where training would put each picture. */
export const planBuckets: JobHandler<EngineJobs['dataset.buckets']> = ({ pictures, ...rules }) => {
  const { resolution, granularity } = rules
  if (resolution % granularity !== 0) {
    const message = `The sizes of this model are multiples of ${granularity}, and ${resolution} is none.`
    throw new HalfstepError('recipe.impossible', message, `Choose a multiple of ${granularity}.`, { key: 'dataset.resolution' })
  }
  const sizes = bucketSizes(rules)
  return Promise.resolve({
    sizes: sizes.map(({ width, height }) => ({ width, height })),
    places: pictures.map((picture) => nearestBucket(picture, sizes)),
  })
}
