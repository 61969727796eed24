import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metricSeries } from '../../../main/services/runs/metric-series.ts'
import type { Metric } from '../../../main/store/metrics.ts'

const metrics = (count: number): Metric[] => Array.from({ length: count }, (_, i) => ({
  update: i + 1, mean: i, spread: 1, min: -i, max: i, gradientNorm: 1, learningRate: 1, seconds: 1, parts: i % 2 === 0 ? { critic: i } : {},
}))

describe('curves', () => {
  it('are as recorded where there is room', () => {
    expect(metricSeries(metrics(3), 5)).toMatchObject({ update: [1, 2, 3], mean: [0, 1, 2], parts: { critic: [0, null, 2] } })
  })

  it('keep ends and extremes where points stand for several updates', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 40 }), (count, points) => {
      const series = metricSeries(metrics(count), points)
      expect(series.update).toHaveLength(Math.min(count, points))
      expect(series.update.at(-1)).toBe(count)
      expect(Math.max(...series.max)).toBe(count - 1)
      expect(Math.min(...series.min) + 0).toBe(Math.min(0, 1 - count) + 0)
      expect(series.update).toEqual(series.update.toSorted((a, b) => a - b))
    }))
  })

  it('are empty before the first update', () => {
    expect(metricSeries([], 10)).toMatchObject({ update: [], parts: {} })
  })
})
