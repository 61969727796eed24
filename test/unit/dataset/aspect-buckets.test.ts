import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketSizes, intoBuckets, nearestBucket } from '../../../main/engine/dataset/aspect-buckets.ts'

const names = (rules: Parameters<typeof bucketSizes>[0]): string[] => bucketSizes(rules).map(({ width, height }) => `${width}×${height}`)

describe('bucket sizes', () => {
  it('of Stable Diffusion 1.5 go in steps of 64 from standing to lying', () => {
    expect(names({ resolution: 512, granularity: 64, largestAspect: 2 })).toEqual(['384×704', '448×576', '512×512', '576×448', '704×384'])
  })

  it('of SDXL go in steps of 64, though it could do with 32', () => {
    expect(names({ resolution: 1024, granularity: 32, largestAspect: 1.2 })).toEqual(['960×1088', '1024×1024', '1088×960'])
  })

  it('are squares only with a largest aspect of 1', () => {
    expect(names({ resolution: 512, granularity: 64, largestAspect: 1 })).toEqual(['512×512'])
  })

  it('are multiples of the granularity of about the wished area, within the largest aspect, each with its transpose', () => {
    const rules = fc.record({
      granularity: fc.constantFrom(8, 16, 32, 64),
      multiple: fc.integer({ min: 1, max: 40 }),
      largestAspect: fc.double({ min: 1, max: 4, noNaN: true }),
    })
    fc.assert(fc.property(rules, ({ granularity, multiple, largestAspect }) => {
      const resolution = granularity * multiple
      const sizes = bucketSizes({ resolution, granularity, largestAspect })
      const step = granularity * Math.ceil(multiple / 16)
      for (const { width, height } of sizes) {
        const [short, long] = [Math.min(width, height), Math.max(width, height)]
        expect(sizes).toContainEqual({ width: height, height: width })
        expect([width % granularity, height % granularity]).toEqual([0, 0])
        expect(long / short).toBeLessThanOrEqual(largestAspect)
        // Half a step of the longer side at most.
        expect(Math.abs(width * height - resolution ** 2)).toBeLessThanOrEqual((short * step) / 2 + 1e-6)
      }
      expect(new Set(sizes.map(({ width, height }) => `${width}×${height}`)).size).toBe(sizes.length)
    }))
  })
})

describe('the nearest bucket', () => {
  const sizes = bucketSizes({ resolution: 512, granularity: 64, largestAspect: 2 })

  it.each([
    [512, 512, '512×512'], [1100, 1000, '512×512'], [4000, 3000, '576×448'], [3000, 4000, '448×576'], [1920, 1080, '704×384'],
    [1, 10_000, '384×704'],
  ])(
    'of a picture of %i × %i is %s',
    (width, height, expected) => {
      const size = sizes[nearestBucket({ width, height }, sizes)]
      expect(`${size?.width}×${size?.height}`).toBe(expected)
    },
  )

  it('holds each picture once, and sizes without pictures are left out', () => {
    const pictures = [[100, 100], [200, 100], [101, 100], [100, 199]].map(([width = 0, height = 0]) => ({ width, height }))
    const buckets = intoBuckets(pictures, sizes)
    expect(buckets.map(({ size, pictures: held }) => [size.width, held.length])).toEqual([[384, 1], [512, 2], [704, 1]])
  })
})
