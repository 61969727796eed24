import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareOutput } from '../../../main/engine/check/report.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'

const TOLERANCE = 1e-4

/** A standard normal number for each index, the same every time (Box–Muller over a multiplicative sequence). */
function normal(i: number): number {
  const u = ((i * 0.7548776662466927) % 1) || 0.5
  const v = (i * 0.5698402909980532) % 1
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v)
}

/** A reference of n numbers, and the same with rounding errors of the given relative size. */
function pair(n: number, noise: number): { ours: FloatTensor; reference: FloatTensor } {
  const reference = Float32Array.from({ length: n }, (_, i) => normal(i + 1))
  return { reference: float32([n], reference), ours: float32([n], reference.map((value, i) => value + noise * normal(i + 5000))) }
}

function withNumber({ shape, data }: FloatTensor, position: number, value: number): FloatTensor {
  return float32(shape, Float32Array.from(data, (old, i) => (i === position ? value : old)))
}

describe('comparing an output with its reference', () => {
  it('measures ‖a − b‖ / ‖b‖', () => {
    const { relativeError } = compareOutput('x', float32([2], [3, 4.5]), float32([2], [3, 4]), TOLERANCE)
    expect(relativeError).toBeCloseTo(0.5 / 5, 9)
  })

  it.each([1e-7, 1e-6, 3e-5])('passes rounding errors of relative size %d', (noise) => {
    for (const n of [1, 2, 7, 8, 64, 5000]) {
      const { ours, reference } = pair(n, noise)
      expect(compareOutput('x', ours, reference, TOLERANCE)).toMatchObject({ outlier: null, passed: true })
    }
  })

  it('finds any number that is off by 1 %, however many there are, unless it is lost in rounding', () => {
    const { ours, reference } = pair(5000, 1e-6)
    fc.assert(fc.property(fc.nat(4999), fc.constantFrom(0.99, 1.01), (position, factor) => {
      const value = reference.data[position]!
      fc.pre(Math.abs(value) > 0.01)
      const line = compareOutput('x', ours, withNumber(reference, position, value * factor), TOLERANCE)
      expect(line.passed).toBe(false)
      if (line.relativeError <= TOLERANCE) expect(line.outlier?.index).toEqual([position])
    }))
  })

  it('names the number that stands out by its index', () => {
    const { ours, reference } = pair(5000, 1e-6)
    const shape = [2, 50, 50]
    const changed = withNumber(reference, 2500 + 3 * 50 + 7, reference.data[2657]! + 0.005)
    const line = compareOutput('x', float32(shape, ours.data), float32(shape, changed.data), TOLERANCE)
    expect(line).toMatchObject({ passed: false, outlier: { index: [1, 3, 7] } })
    expect(line.relativeError).toBeLessThan(TOLERANCE)
  })

  it('fails an error spread over all numbers', () => {
    const { ours, reference } = pair(5000, 2e-4)
    expect(compareOutput('x', ours, reference, TOLERANCE)).toMatchObject({ passed: false, outlier: null })
  })

  it('is an infinite error for another shape and for a number that is not finite', () => {
    const { ours, reference } = pair(6, 0)
    expect(compareOutput('x', float32([2, 3], ours.data), reference, TOLERANCE)).toMatchObject({ relativeError: Infinity, passed: false })
    expect(compareOutput('x', withNumber(ours, 2, NaN), reference, TOLERANCE)).toMatchObject({ relativeError: Infinity, passed: false })
  })

  it('takes a reference of zeros as it is', () => {
    expect(compareOutput('x', float32([9], new Float32Array(9)), float32([9], new Float32Array(9)), TOLERANCE).passed).toBe(true)
    expect(compareOutput('x', float32([9], new Float32Array(9).fill(0.1)), float32([9], new Float32Array(9)), TOLERANCE).passed).toBe(false)
  })
})
