import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findLookalikes } from '../../../main/services/datasets/find-lookalikes.ts'
import { hashDistance } from '../../../main/services/pictures/read-picture.ts'

const hash = fc.bigInt(0n, 2n ** 64n - 1n).map((bits) => bits.toString(16).padStart(16, '0'))

describe('pictures that look alike', () => {
  it('are those within the distance of one another, chained', async () => {
    const hashes = ['0000000000000000', 'ffffffffffffffff', '0000000000000003', '8000000000000003', 'ffffffff7fffffff']
    expect(await findLookalikes(hashes, 2)).toEqual([[0, 2, 3], [1, 4]])
    expect(await findLookalikes(hashes, 0)).toEqual([])
  })

  it('are never in two groups, and every pair within the distance is in one', async () => {
    await fc.assert(fc.asyncProperty(fc.array(hash, { maxLength: 30 }), fc.integer({ min: 0, max: 40 }), async (hashes, distance) => {
      const groups = await findLookalikes(hashes, distance)
      const places = groups.flat()
      expect(new Set(places).size).toBe(places.length)
      for (const [i, a] of hashes.entries()) {
        for (const [j, b] of hashes.entries()) {
          if (i >= j || hashDistance(a, b) > distance) continue
          expect(groups.some((group) => group.includes(i) && group.includes(j))).toBe(true)
        }
      }
    }))
  })

  it('are found among ten thousand in a few seconds, with progress on the way', async () => {
    const hashes = Array.from({ length: 10_000 }, (_, i) => ((BigInt(i) * 0x9e3779b97f4a7c15n) % 2n ** 64n).toString(16).padStart(16, '0'))
    let told = 0
    const began = performance.now()
    await findLookalikes([...hashes, hashes[77]!], 0, () => told++)
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(told).toBeGreaterThan(50)
  })
})
