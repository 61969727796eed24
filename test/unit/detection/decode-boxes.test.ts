import { describe, expect, it } from 'vitest'
import {
  decodeBoxes, inPicture, intersectionOverUnion, layoutOf, withoutOverlaps, type FoundBox,
} from '../../../main/engine/detection/decode-boxes.ts'
import { letterboxed, letterboxOf } from '../../../main/engine/detection/letterbox.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { columns } from './example-detector.ts'

const box = (left: number, top: number, width: number, height: number, score = 0.9, kind = 0): FoundBox =>
  ({ left, top, width, height, score, kind })

describe('the layout of a detector’s output', () => {
  it.each([
    [[1, 84, 8400], 'columns'], [[1, 5, 21], 'columns'], [[1, 300, 6], 'rows'], [[1, 6, 8400], 'columns'],
    [[1, 25_200, 85], undefined], [[2, 84, 8400], undefined], [[1, 4, 100], undefined], [[1000], undefined],
    [[1, 3, 80, 80, 85], undefined],
  ] as const)('%j is %s', (shape, layout) => expect(layoutOf(shape)).toBe(layout))
})

describe('boxes', () => {
  it('are read from columns with the class of the highest score', () => {
    const { shape, numbers } = columns([[30, 20, 10, 8, 0.1, 0.75], [50, 40, 4, 4, 0.5, 0.25], [5, 5, 2, 2, 0.2, 0.1]])
    expect(decodeBoxes(float32(shape, numbers), 'columns', 0.3)).toEqual([box(25, 16, 10, 8, 0.75, 1), box(48, 38, 4, 4, 0.5, 0)])
  })

  it('are read from columns without what follows the scores, such as key points', () => {
    const { shape, numbers } = columns([[30, 20, 10, 8, 0.5, 400, 1]])
    expect(decodeBoxes(float32(shape, numbers), 'columns', 0.3, 1)).toEqual([box(25, 16, 10, 8, 0.5, 0)])
    expect(decodeBoxes(float32(shape, numbers), 'columns', 0.3, 9)).toEqual([box(25, 16, 10, 8, 400, 1)])
  })

  it('are read from rows, corners and all', () => {
    const rows = float32([1, 3, 6], [10, 20, 30, 60, 0.75, 1, 0, 0, 5, 5, 0.125, 0, NaN, 0, 5, 5, 0.9, 0])
    expect(decodeBoxes(rows, 'rows', 0.25)).toEqual([box(10, 20, 20, 40, 0.75, 1)])
  })

  it('share of their union what they share', () => {
    expect(intersectionOverUnion(box(0, 0, 2, 2), box(1, 1, 2, 2))).toBeCloseTo(1 / 7, 12)
    expect(intersectionOverUnion(box(0, 0, 2, 2), box(2, 0, 2, 2))).toBe(0)
    expect(intersectionOverUnion(box(3, 4, 2, 2), box(3, 4, 2, 2))).toBe(1)
  })

  it('that mostly overlap are one, the surest', () => {
    const [sure, same, other] = [box(0, 0, 10, 10, 0.8), box(1, 0, 10, 10, 0.7, 1), box(8, 8, 10, 10, 0.9)]
    expect(withoutOverlaps([same, sure, other], 0.45)).toEqual([other, sure])
  })
})

describe('a picture in its frame', () => {
  it('lies in the middle, as large as it fits', () => {
    expect(letterboxOf({ width: 200, height: 100 }, { width: 64, height: 64 }))
      .toEqual({ scale: 0.32, left: 0, top: 16, fitted: { width: 64, height: 32 } })
  })

  it('has grey around it', async () => {
    const source = { width: 4, height: 2, channels: 3, data: new Uint8Array(24).fill(255) } as const
    const { shape, data } = await letterboxed(source, { width: 8, height: 8 })
    expect(shape).toEqual([1, 3, 8, 8])
    for (const channel of [0, 1, 2]) {
      expect(data[channel * 64 + 8]).toBeCloseTo(114 / 255, 6)
      expect(data[channel * 64 + 2 * 8]).toBe(1)
      expect(data[channel * 64 + 6 * 8]).toBeCloseTo(114 / 255, 6)
    }
  })

  it('gives boxes back in its own pixels, cut off at its border', () => {
    const picture = { width: 200, height: 100 }
    const letterbox = letterboxOf(picture, { width: 64, height: 64 })
    const [inside, cut, ...none] = inPicture([box(32, 32, 16, 8), box(-10, 10, 20, 10), box(0, 0, 64, 10)], letterbox, picture)
    expect(inside).toEqual(box(100, 50, 50, 25))
    expect(cut).toEqual(box(0, 0, 31.25, 12.5))
    expect(none).toEqual([])
  })
})
