import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gridShape, visibleRange } from '../../../renderer/components/picture-grid/rows.ts'

describe('a grid of pictures', () => {
  it('fills the width with as many columns as fit', () => {
    expect(gridShape({ count: 10, width: 640, least: 150, gap: 10, footer: 20 }))
      .toEqual({ columns: 4, side: 152, rowHeight: 182, rows: 3, height: 536 })
    expect(gridShape({ count: 0, width: 640, least: 150, gap: 10, footer: 0 }).height).toBe(0)
    expect(gridShape({ count: 3, width: 100, least: 150, gap: 10, footer: 0 }).columns).toBe(1)
  })

  it('draws every picture in view and few others, ten thousand or ten', () => {
    const wishes = { count: 10_000, width: 1000, least: 150, gap: 10, footer: 0 }
    const shape = gridShape(wishes)
    fc.assert(fc.property(fc.integer({ min: 0, max: shape.height }), (top) => {
      const [first, last] = visibleRange(shape, wishes.count, top, 800)
      const firstSeen = Math.floor(top / shape.rowHeight) * shape.columns
      const lastSeen = Math.min(wishes.count, Math.ceil((top + 800) / shape.rowHeight) * shape.columns)
      expect(first).toBeLessThanOrEqual(Math.min(firstSeen, wishes.count))
      expect(last).toBeGreaterThanOrEqual(lastSeen)
      expect(last - first).toBeLessThanOrEqual(12 * shape.columns)
    }))
  })
})
