import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawingSize, regionAround, withRim } from '../../../main/engine/inpainting/region.ts'

const picture = { width: 1024, height: 768 }

describe('the region that a model sees', () => {
  it('is the whole picture without a context', () => {
    expect(regionAround({ left: 5, top: 5, width: 9, height: 9 }, picture, undefined, 512)).toEqual({ left: 0, top: 0, ...picture })
  })

  it('is the mask and its surroundings, square around its middle', () => {
    const region = regionAround({ left: 400, top: 300, width: 200, height: 120 }, picture, 0.5, 512)
    expect(region).toEqual({ left: 300, top: 160, width: 400, height: 400 })
  })

  it('is half of what the model draws at, at least', () => {
    const region = regionAround({ left: 500, top: 400, width: 10, height: 10 }, picture, 0.5, 512)
    expect([region.width, region.height]).toEqual([256, 256])
  })

  it('moves inside where the mask touches the border', () => {
    const region = regionAround({ left: 0, top: 668, width: 100, height: 100 }, picture, 1, 512)
    expect(region).toEqual({ left: 0, top: 468, width: 300, height: 300 })
  })

  it('always holds what is painted with a rim, and never leaves the picture', () => {
    const sides = fc.record({ width: fc.integer({ min: 1, max: 300 }), height: fc.integer({ min: 1, max: 300 }) })
    const cases = sides.chain((whole) => fc.tuple(fc.constant(whole), fc.integer({ min: 0, max: whole.width - 1 }),
      fc.integer({ min: 0, max: whole.height - 1 }), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 300 })))
    fc.assert(fc.property(cases, fc.double({ min: 0, max: 3, noNaN: true }), ([whole, left, top, w, h], context) => {
      const painted = { left, top, width: Math.min(w, whole.width - left), height: Math.min(h, whole.height - top) }
      const region = regionAround(painted, whole, context, 64)
      const rim = withRim(painted, whole)
      expect(region.left).toBeGreaterThanOrEqual(0)
      expect(region.top).toBeGreaterThanOrEqual(0)
      expect(region.left).toBeLessThanOrEqual(rim.left)
      expect(region.top).toBeLessThanOrEqual(rim.top)
      expect(region.left + region.width).toBeGreaterThanOrEqual(rim.left + rim.width)
      expect(region.top + region.height).toBeGreaterThanOrEqual(rim.top + rim.height)
      expect(region.left + region.width).toBeLessThanOrEqual(whole.width)
      expect(region.top + region.height).toBeLessThanOrEqual(whole.height)
    }))
  })
})

describe('the size it is drawn at', () => {
  it('is the model’s own for a square', () => {
    expect(drawingSize({ width: 400, height: 400 }, 512, 64)).toEqual({ width: 512, height: 512 })
  })

  it('has the region’s proportions and about the model’s area', () => {
    expect(drawingSize({ width: 900, height: 300 }, 512, 64)).toEqual({ width: 896, height: 320 })
  })

  it('is no smaller than the network’s halvings allow', () => {
    expect(drawingSize({ width: 1000, height: 10 }, 64, 64).height).toBe(64)
  })
})
