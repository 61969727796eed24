import { describe, expect, it } from 'vitest'
import { philox } from '../../../main/engine/random/philox.ts'
import { Random } from '../../../main/engine/random/random.ts'

const hex = (words: Uint32Array): string => [...words].map((word) => word.toString(16).padStart(8, '0')).join(' ')

describe('philox', () => {
  // The known answers published with the reference implementation (Random123, kat_vectors).
  it.each([
    [[0, 0], [0, 0, 0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ] as const)('gives the published answer for key %j', (key, counter, answer) => {
    const out = new Uint32Array(4)
    philox(key, counter, out)
    expect(hex(out)).toBe(answer)
  })
})

describe('random numbers', () => {
  const random = new Random(7)

  it('are the same for the same place and differ everywhere else', () => {
    const here = random.normal('stepNoise', [3, 4], [8])
    expect(new Random(7).normal('stepNoise', [3, 4], [8])).toEqual(here)
    for (const other of [
      random.normal('direction', [3, 4], [8]),
      random.normal('stepNoise', [4, 4], [8]),
      random.normal('stepNoise', [3, 5], [8]),
      new Random(7 + 2 ** 32).normal('stepNoise', [3, 4], [8]),
    ])
      expect(other).not.toEqual(here)
  })

  it('do not depend on how many are drawn', () => {
    expect(random.normal('direction', [1], [1000]).data.slice(0, 7)).toEqual(random.normal('direction', [1], [7]).data)
  })

  it('are standard normal', () => {
    const { data } = random.normal('direction', [0], [200_000])
    const moment = (power: number): number => data.reduce((sum, value) => sum + value ** power, 0) / data.length
    expect(Math.abs(moment(1))).toBeLessThan(0.01)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02)
    expect(Math.abs(moment(3))).toBeLessThan(0.04)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.15)
  })

  it('choose by probability and never what has none', () => {
    const counts = [0, 0, 0]
    for (let i = 0; i < 30_000; i++) {
      const chosen = random.choice('window', [i], [0.5, 0, 0.5])
      counts[chosen] = (counts[chosen] ?? 0) + 1
    }
    expect(counts[1]).toBe(0)
    expect(Math.abs((counts[0] ?? 0) / 30_000 - 0.5)).toBeLessThan(0.012)
  })

  it('permute evenly', () => {
    const first = new Map<number, number>()
    for (let i = 0; i < 6000; i++) {
      const order = random.permutation('shuffle', [i], 3)
      expect(order.toSorted()).toEqual([0, 1, 2])
      first.set(order[0] ?? -1, (first.get(order[0] ?? -1) ?? 0) + 1)
    }
    for (const count of first.values()) expect(Math.abs(count - 2000)).toBeLessThan(150)
  })
})
