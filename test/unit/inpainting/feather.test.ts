import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { feathered } from '../../../main/engine/inpainting/feather.ts'
import { maskWhere } from './mask-files.ts'

const row = (values: Float32Array, width: number, y: number): number[] => Array.from(values.subarray(y * width, (y + 1) * width))

describe('a feathered mask', () => {
  it('rises in a straight line from the edge of a half plane: 1/(r+1), 2/(r+1), … 1', () => {
    const { data } = feathered(maskWhere(8, 5, (x) => x >= 2), 3)
    for (const y of [0, 2, 4]) expect(row(data, 8, y)).toEqual([0, 0, 0.25, 0.5, 0.75, 1, 1, 1])
  })

  it('is a cone over a disc: (R + 1 − distance to the centre)/(r+1), but for the pixels’ own size', () => {
    const [centre, radius, feather] = [20, 12, 7]
    const far = (x: number, y: number): number => Math.hypot(x - centre, y - centre)
    const { data } = feathered(maskWhere(41, 41, (x, y) => far(x, y) <= radius), feather)
    data.forEach((weight, i) => {
      const distance = far(i % 41, Math.floor(i / 41))
      const expected = Math.min(1, Math.max(0, (radius + 1 - distance) / (feather + 1)))
      expect(Math.abs(weight - expected)).toBeLessThan(1 / (feather + 1))
    })
  })

  it('is the mask itself without a radius', () => {
    const mask = maskWhere(5, 5, (x, y) => x === y)
    expect(feathered(mask, 0)).toEqual(mask)
  })

  it('does not fade at the picture’s border, where nothing has to be blended with', () => {
    expect(feathered(maskWhere(6, 4, () => true), 3).data.every((weight) => weight === 1)).toBe(true)
    expect(row(feathered(maskWhere(4, 1, (x) => x < 3), 3).data, 4, 0)).toEqual([0.75, 0.5, 0.25, 0])
  })

  it('takes soft masks as they are', () => {
    const soft = { width: 3, height: 1, data: Float32Array.of(0, 0.5, 1) }
    expect(row(feathered(soft, 1).data, 3, 0)).toEqual([0, 0.25, 1])
  })

  it('never reaches beyond what was painted, and has the distance that trying every pixel gives', () => {
    const masks = fc.integer({ min: 1, max: 9 }).chain((width) =>
      fc.record({ width: fc.constant(width), bits: fc.array(fc.boolean(), { minLength: width, maxLength: 60 }) }))
    fc.assert(fc.property(masks, fc.integer({ min: 1, max: 6 }), ({ width, bits }, radius) => {
      const height = Math.floor(bits.length / width)
      const mask = maskWhere(width, height, (x, y) => bits[y * width + x] ?? false)
      const kept = [...mask.data.keys()].filter((i) => mask.data[i] === 0)
      feathered(mask, radius).data.forEach((weight, i) => {
        const distances = kept.map((k) => Math.hypot((k % width) - (i % width), Math.floor(k / width) - Math.floor(i / width)))
        expect(weight).toBeCloseTo(mask.data[i]! * Math.min(1, Math.min(Infinity, ...distances) / (radius + 1)), 6)
      })
    }))
  })
})
