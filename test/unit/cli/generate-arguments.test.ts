import { describe, expect, it } from 'vitest'
import { nonNegativeNumber, pictureSize, seed, slotValue } from '../../../main/cli/arguments.ts'

const noSizes = ['768', '768x', 'x512', '0x512', '768x512x3', '-8x8']

describe('what generate takes is read, and refused where it makes no sense:', () => {
  it('a scale', () => expect([nonNegativeNumber('0'), nonNegativeNumber('7.5'), nonNegativeNumber('1e1')]).toEqual([0, 7.5, 10]))
  it.each(['-1', 'x', '', ' ', 'Infinity', 'NaN'])('the scale "%s"', (text) => expect(() => nonNegativeNumber(text)).toThrow())

  it('a seed', () => expect([seed('0'), seed('4294967295')]).toEqual([0, 4294967295]))
  it.each(['-1', '1.5', '', 'x', '4503599627370496', '9'.repeat(30)])('the seed "%s"', (text) => expect(() => seed(text)).toThrow())

  it('a size', () => {
    expect([pictureSize('768x512'), pictureSize('64×64')]).toEqual([{ width: 768, height: 512 }, { width: 64, height: 64 }])
  })
  it.each(noSizes)('the size "%s"', (text) => expect(() => pictureSize(text)).toThrow())

  it('values of slots, collected', () => {
    expect(slotValue('text=a = b', slotValue('subject=a red fox'))).toEqual({ subject: 'a red fox', text: 'a = b' })
  })
  it.each(['subject', '=fox'])('the slot "%s"', (text) => expect(() => slotValue(text)).toThrow())
})
