import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dimension, positiveInteger, weightedPath } from '../../../main/cli/arguments.ts'

describe('an adapter with its strength', () => {
  it.each([
    ['style.safetensors', 'style.safetensors', 1],
    ['style.safetensors:0.7', 'style.safetensors', 0.7],
    ['style.safetensors:-1', 'style.safetensors', -1],
    ['style.safetensors:+.5', 'style.safetensors', 0.5],
    ['style.safetensors:2e-1', 'style.safetensors', 0.2],
    ['C:\\loras\\style.safetensors:0.7', 'C:\\loras\\style.safetensors', 0.7],
    ['C:\\loras\\style.safetensors', 'C:\\loras\\style.safetensors', 1],
    ['a:b.safetensors', 'a:b.safetensors', 1],
  ])('reads %s', (text, path, strength) => expect(weightedPath(text)).toEqual([{ path, strength }]))

  it('reads back any path and strength', () => {
    // Minus zero is written as zero.
    const strength = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
    fc.assert(fc.property(fc.stringMatching(/^[\w:\\/ .-]+$/), strength, (path, value) => {
      expect(weightedPath(`${path}:${value}`)).toEqual([{ path, strength: value }])
    }))
  })

  it('refuses a number that is none', () => expect(() => weightedPath('a.safetensors:1.2.3')).toThrow('1.2.3 is not a number'))
  it('collects several', () => {
    expect(weightedPath('b:2', weightedPath('a'))).toEqual([{ path: 'a', strength: 1 }, { path: 'b', strength: 2 }])
  })
})

describe('a size for an axis', () => {
  it('collects names and sizes', () => expect(dimension('w=5', dimension('h=4'))).toEqual({ h: 4, w: 5 }))
  it.each(['h', 'h=', '=4', 'h=four', 'h=-1', 'h=0', 'h=1.5'])('refuses %s', (text) => expect(() => dimension(text)).toThrow())
})

describe('a whole number', () => {
  it('is read', () => expect(positiveInteger('12')).toBe(12))
  it.each(['0', '-1', '1.5', 'x', '', ' 1', '1e3', '9'.repeat(20)])('refuses "%s"', (text) => expect(() => positiveInteger(text)).toThrow())
})
