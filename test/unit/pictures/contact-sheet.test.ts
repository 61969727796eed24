import { describe, expect, it } from 'vitest'
import { contactSheet } from '../../../main/engine/pictures/contact-sheet.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

/** Pictures of one pixel, each as grey as its place: 0, 0.1, 0.2, … */
const greys = (count: number) => float32([count, 3, 1, 1], Array.from({ length: 3 * count }, (_, i) => Math.floor(i / 3) / 10))
const plane = ({ data, shape }: ReturnType<typeof contactSheet>, channel: number): number[] => {
  const length = shape[2]! * shape[3]!
  return [...data.subarray(channel * length, (channel + 1) * length)].map((level) => Number(level.toFixed(3)))
}

describe('a contact sheet', () => {
  it('shows pictures in reading order on white', () => {
    const sheet = contactSheet(greys(3), { columns: 2, gap: 1 })
    expect(sheet.shape).toEqual([1, 3, 5, 5])
    for (const channel of [0, 1, 2]) {
      expect(plane(sheet, channel)).toEqual([1, 1, 1, 1, 1, 1, 0, 1, 0.1, 1, 1, 1, 1, 1, 1, 1, 0.2, 1, 1, 1, 1, 1, 1, 1, 1])
    }
  })

  it('enlarges every pixel to a square', () => {
    const sheet = contactSheet(float32([1, 3, 1, 2], [0, 0.5, 0, 0.5, 0, 0.5]), { scale: 2, gap: 0 })
    expect(plane(sheet, 1)).toEqual([0, 0, 0.5, 0.5, 0, 0, 0.5, 0.5])
  })

  it('is no wider than there are pictures', () => expect(contactSheet(greys(2), { columns: 8, gap: 0 }).shape).toEqual([1, 3, 1, 2]))

  it('keeps the channels apart', () => {
    const sheet = contactSheet(float32([1, 3, 1, 1], [0.1, 0.2, 0.3]), { gap: 0 })
    expect([0, 1, 2].map((channel) => plane(sheet, channel)[0])).toEqual([0.1, 0.2, 0.3])
  })

  it('refuses what is no batch of pictures, and no layout', () => {
    expect(() => contactSheet(float32([1, 1, 1, 1], [0]))).toThrow(RangeError)
    expect(() => contactSheet(float32([3, 1, 1], [0, 0, 0]))).toThrow(RangeError)
    expect(() => contactSheet(greys(1), { scale: 1.5 })).toThrow(RangeError)
    expect(() => contactSheet(greys(1), { columns: 0 })).toThrow(RangeError)
  })
})
