import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expandPrompts } from '../../../main/services/prompts/expand-prompts.ts'

describe('prompts with slots and alternatives', () => {
  it('become all prompts they stand for, the last slot changing fastest', () => {
    const { prompts, total } = expandPrompts(['a {size} {cat|dog}', 'plain'], { size: ['big', 'small'] }, 10)
    expect(prompts).toEqual(['a big cat', 'a big dog', 'a small cat', 'a small dog', 'plain'])
    expect(total).toBe(5)
  })

  it('stay as they are where a slot has no values', () => {
    expect(expandPrompts(['a {subject} and {none}', '{', 'a {} b'], { none: [] }, 10).prompts)
      .toEqual(['a {subject} and {none}', '{', 'a {} b'])
  })

  it('do not take what every object has for a slot', () => {
    expect(expandPrompts(['{constructor} {__proto__}'], {}, 10).prompts).toEqual(['{constructor} {__proto__}'])
  })

  it('are taken in even steps, each once, where there are too many', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 6 }), (limit, values) => {
      const slots = { a: Array.from({ length: values }, (_, i) => `a${i}`), b: Array.from({ length: 4 }, (_, i) => `b${i}`) }
      const { prompts, total } = expandPrompts(['{a}{b}', 'x{b}'], slots, limit)
      expect(total).toBe(values * 4 + 4)
      expect(prompts).toHaveLength(Math.min(limit, total))
      expect(new Set(prompts).size).toBe(prompts.length)
    }))
  })

  it('can stand for more than could ever be listed', () => {
    const slots = { a: Array.from({ length: 1000 }, (_, i) => String(i)) }
    const { prompts, total } = expandPrompts(['{a}{a}{a}{a}'], slots, 3)
    expect([prompts.length, total]).toEqual([3, 1e12])
  })
})
