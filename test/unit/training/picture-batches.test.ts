import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import { batchAt, type PictureBatch } from '../../../main/engine/training/picture-batches.ts'

const COUNTS = [5, 1, 4]
const SIZE = 2
/** ⌈5/2⌉ + ⌈1/2⌉ + ⌈4/2⌉ */
const PER_EPOCH = 6

const epoch = (number: number, random = new Random(3)): PictureBatch[] =>
  Array.from({ length: PER_EPOCH }, (_, i) => batchAt(COUNTS, SIZE, number * PER_EPOCH + i, random))

describe('the batches of an epoch', () => {
  it('show every picture once, never more than a batch of one size at a time', () => {
    for (const number of [0, 1, 7]) {
      const batches = epoch(number)
      const seen = batches.flatMap(({ bucket, pictures }) => pictures.map((picture) => `${bucket}.${picture}`))
      expect(seen.sort()).toEqual(COUNTS.flatMap((count, bucket) => Array.from({ length: count }, (_, i) => `${bucket}.${i}`)).sort())
      for (const { pictures } of batches) expect(pictures.length).toBeLessThanOrEqual(SIZE)
    }
  })

  it('come bucket after bucket', () => {
    const changes = epoch(2).filter(({ bucket }, i, batches) => bucket !== batches[i - 1]?.bucket)
    expect(changes).toHaveLength(COUNTS.length)
  })

  it('are the same for the same seed, others in another epoch and for another seed', () => {
    expect(epoch(1)).toEqual(epoch(1))
    expect(epoch(1)).not.toEqual(epoch(2))
    expect(epoch(1)).not.toEqual(epoch(1, new Random(4)))
  })
})
