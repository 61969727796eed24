import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { colourName, skinName } from '../../../main/engine/judge/colour-names.ts'
import { componentsOf, type Mask } from '../../../main/engine/judge/connected-components.ts'
import { labDistance, labOf, labPlanes, rgbOf, type Rgb } from '../../../main/engine/judge/lab.ts'
import { distanceToOutside, holesOf } from '../../../main/engine/judge/morphology.ts'
import { pairwiseDistance } from '../../../main/engine/judge/pairwise-distance.ts'
import { radialPeaks } from '../../../main/engine/judge/radial-peaks.ts'
import { otsu } from '../../../main/engine/judge/segment.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

/** A mask from lines of text: # is inside. */
function drawn(...lines: readonly string[]): Mask {
  return { width: lines[0]!.length, height: lines.length, data: Uint8Array.from(lines.join(''), (mark) => (mark === '#' ? 1 : 0)) }
}

const masks = fc.integer({ min: 1, max: 12 }).chain((width) => fc.integer({ min: 1, max: 12 }).chain((height) =>
  fc.array(fc.boolean(), { minLength: width * height, maxLength: width * height })
    .map((inside): Mask => ({ width, height, data: Uint8Array.from(inside, Number) }))))

describe('Lab', () => {
  // By Bruce Lindbloom's calculator: sRGB, D65.
  it.each([
    [[1, 1, 1], [100, 0, 0]],
    [[1, 0, 0], [53.24, 80.09, 67.2]],
    [[0, 1, 0], [87.73, -86.18, 83.18]],
    [[0, 0, 1], [32.3, 79.19, -107.86]],
    [[0, 0, 0], [0, 0, 0]],
  ] as const)('of %j is %j', (rgb, lab) => expect(labDistance(labOf(rgb), lab)).toBeLessThan(0.05))

  it('of planes is that of each pixel, and leads back to RGB', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 }), (levels) => {
      const planes = labPlanes(Float32Array.from(levels))
      for (const pixel of [0, 1]) {
        const rgb: Rgb = [levels[pixel]!, levels[pixel + 2]!, levels[pixel + 4]!]
        expect(labDistance(labOf(rgb), [planes[pixel]!, planes[pixel + 2]!, planes[pixel + 4]!])).toBeLessThan(1e-3)
        rgbOf(labOf(rgb)).forEach((level, i) => expect(level).toBeCloseTo(rgb[i]!, 3))
      }
    }))
  })
})

describe('colour names', () => {
  it('are those of clear colours, and grey for what has none', () => {
    const named = (red: number, green: number, blue: number): string => colourName(labOf([red / 255, green / 255, blue / 255]))
    expect([named(255, 0, 0), named(0, 128, 0), named(0, 0, 255), named(255, 230, 0), named(255, 255, 255), named(0, 0, 0)])
      .toEqual(['red', 'green', 'blue', 'yellow', 'white', 'black'])
    expect(named(140, 140, 140)).toBe('grey')
  })

  it('of skin are none for what no skin looks like', () => {
    expect(skinName(labOf([0.55, 0.35, 0.22]))).toBe('brown')
    expect(skinName(labOf([0.1, 0.6, 0.2]))).toBeNull()
  })
})

describe('components', () => {
  it('are joined by sides, and by corners where asked', () => {
    const mask = drawn('##..', '..#.', '...#')
    expect(componentsOf(mask, 4).map(({ length }) => length)).toEqual([2, 1, 1])
    expect(componentsOf(mask, 8).map(({ length }) => length)).toEqual([4])
  })

  it('cover what is inside exactly once', () => {
    fc.assert(fc.property(masks, fc.constantFrom(4 as const, 8 as const), (mask, connectivity) => {
      const pixels = componentsOf(mask, connectivity).flat().sort((a, b) => a - b)
      expect(pixels).toEqual([...mask.data.keys()].filter((i) => mask.data[i] === 1))
    }))
  })
})

describe('holes', () => {
  it('are what is enclosed, not what opens to the border', () => {
    expect(holesOf(drawn('#####', '#.#.#', '#####', '#...#', '#.###'))).toEqual([[6], [8]])
  })
})

describe('the distance to the outside', () => {
  it('is that of the nearest pixel outside', () => {
    fc.assert(fc.property(masks.filter(({ data }) => data.includes(0)), (mask) => {
      const { width, data } = mask
      const outside = [...data.keys()].filter((i) => data[i] === 0)
      const nearest = (i: number): number =>
        Math.min(...outside.map((j) => Math.hypot((i % width) - (j % width), Math.floor(i / width) - Math.floor(j / width))))
      distanceToOutside(mask).forEach((distance, i) => expect(distance).toBeCloseTo(nearest(i), 4))
    }))
  })
})

describe('Otsu\'s threshold', () => {
  it('parts two heaps', () => {
    const values = Float32Array.from({ length: 100 }, (_, i) => (i < 70 ? 1 + (i % 5) / 10 : 40 + (i % 7)))
    expect(otsu(values)).toBeGreaterThan(1.4)
    expect(otsu(values)).toBeLessThan(40)
  })
})

describe('radial peaks', () => {
  const fork = drawn(
    '..#...#..',
    '..#...#..',
    '..#.#.#..',
    '..#####..',
    '...###...',
    '...###...',
  )
  const centre = { x: 4, y: 5 }

  it('are what reaches out by the persistence asked for', () => {
    expect(radialPeaks(fork, centre, 2).map(({ tip }) => [tip % 9, Math.floor(tip / 9)]).sort()).toEqual([[2, 0], [6, 0]])
    expect(radialPeaks(fork, centre, 0.5)).toHaveLength(3)
  })

  it('stand alone down to where they meet', () => {
    for (const { tipRadius, baseRadius } of radialPeaks(fork, centre, 2)) {
      expect(tipRadius).toBeCloseTo(Math.hypot(2, 5), 4)
      expect(baseRadius).toBeLessThan(3)
    }
  })
})

describe('the distance of pictures', () => {
  it('is 0 among the same and ΔE among flat ones', () => {
    const flat = (...levels: readonly number[]) =>
      float32([levels.length, 3, 2, 2], levels.flatMap((level) => Array<number>(12).fill(level)))
    expect(pairwiseDistance(flat(0.3, 0.3))).toBe(0)
    expect(pairwiseDistance(flat(0, 1))).toBeCloseTo(100, 2)
    // Of the three pairs one is 0 and two are 100.
    expect(pairwiseDistance(flat(0, 1, 1))).toBeCloseTo(200 / 3, 2)
    expect(pairwiseDistance(flat(0.3))).toBe(0)
  })
})
