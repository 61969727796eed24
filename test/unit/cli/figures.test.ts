import { describe, expect, it } from 'vitest'
import { formatBytes, formatCount, formatError, formatSeconds, plural, table } from '../../../main/cli/figures.ts'

describe('figures for people', () => {
  it.each([[0, '0'], [7, '7'], [999, '999'], [1000, '1.00 k'], [999_960, '1.00 M'], [859_520_964, '860 M'], [2.5e15, '2.50e+3 T']])(
    'counts %d as %s', (count, text) => expect(formatCount(count)).toBe(text),
  )
  it('gives bytes in powers of ten', () => {
    expect([0, 512, 3_438_167_540].map(formatBytes)).toEqual(['0 B', '512 B', '3.44 GB'])
  })
  it('writes errors and tolerances as powers of ten, and an infinite error as such', () => {
    expect([1.184e-6, 1e-4, 0, Infinity].map(formatError)).toEqual(['1.18e-6', '1e-4', '0e+0', 'Infinity'])
  })
  it('gives times in a fitting unit', () => expect([0.0421, 3.14159].map(formatSeconds)).toEqual(['42.1 ms', '3.14 s']))
  it('aligns columns', () => {
    expect(table([['name', 'size'], ['UNet', '3 GB'], ['text encoder', '0.2 GB']], [1])).toEqual([
      'name            size',
      'UNet            3 GB',
      'text encoder  0.2 GB',
    ])
  })
  it('counts nouns', () => expect([plural(1, 'output'), plural(2, 'output')]).toEqual(['1 output', '2 outputs']))
})
