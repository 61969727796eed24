import type { Random } from '../random/random.ts'

/** Pictures of one size. */
export interface PictureBatch {
  readonly bucket: number
  /** Their places in the bucket. */
  readonly pictures: readonly number[]
}

/**
 * Which pictures a batch is made of. In every epoch each picture comes once: bucket after bucket, so that the network of a size is
 * opened once, the buckets and the pictures of each in random order. A bucket's last batch is smaller when it does not come out even.
 * @param counts pictures per bucket, at least one each
 * @param size of a batch
 * @param index which batch of the run
 */
export function batchAt(counts: readonly number[], size: number, index: number, random: Random): PictureBatch {
  const batches = counts.map((count) => Math.ceil(count / size))
  const perEpoch = batches.reduce((sum, count) => sum + count, 0)
  const epoch = Math.floor(index / perEpoch)
  let place = index % perEpoch
  // Numbers 0 … of the second index are the buckets' own.
  for (const bucket of random.permutation('shuffle', [epoch, counts.length], counts.length)) {
    const inBucket = batches[bucket] ?? 0
    if (place < inBucket) {
      const order = random.permutation('shuffle', [epoch, bucket], counts[bucket] ?? 0)
      return { bucket, pictures: order.slice(place * size, (place + 1) * size) }
    }
    place -= inBucket
  }
  throw new RangeError('there are no pictures')
}
