import { describe, expect, it } from 'vitest'
import { batchIndices, Drawings, EQUAL_SHARES } from '../../../main/engine/starter/drawings.ts'
import { Random } from '../../../main/engine/random/random.ts'

describe('Drawings', () => {
  it('are the same wherever a row of them is begun', () => {
    const [whole, rest] = [Drawings.draw(new Random(1), 0, 6), Drawings.draw(new Random(1), 4, 2)]
    expect(rest.hands).toEqual(whole.hands.slice(4))
    expect(rest.captions).toEqual(whole.captions.slice(4))
    expect(rest.pictures([0, 1])).toEqual(whole.pictures([4, 5]))
  })

  it('come with the shares that are asked for', () => {
    const { hands } = Drawings.draw(new Random(2), 0, 200, EQUAL_SHARES)
    for (const count of [3, 4, 5, 6, 7]) {
      const share = hands.filter(({ fingers }) => fingers === count).length / hands.length
      expect(share).toBeGreaterThan(0.1)
      expect(share).toBeLessThan(0.32)
    }
  })

  it('are told by their fingerprint from others, in look and in words', () => {
    const drawings = (): Drawings => Drawings.draw(new Random(1), 0, 4)
    const { fingerprint } = drawings()
    expect(drawings().fingerprint).toBe(fingerprint)
    const painted = drawings()
    painted.bytes[5]! ^= 1
    expect(painted.fingerprint).not.toBe(fingerprint)
    const renamed = drawings()
    Object.assign(renamed.captions, { 3: 'a hand' })
    expect(renamed.fingerprint).not.toBe(fingerprint)
  })
})

describe('batchIndices', () => {
  it('goes through the whole set once before any picture comes again', () => {
    const random = new Random(3)
    const epoch = [0, 1, 2, 3].flatMap((step) => batchIndices(random, step, 5, 20))
    expect([...epoch].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(batchIndices(random, 4, 5, 20)).not.toEqual(epoch.slice(0, 5))
  })

  it('gives the same batch for the same step, in any order', () => {
    expect(batchIndices(new Random(3), 7, 5, 20)).toEqual(batchIndices(new Random(3), 7, 5, 20))
    const random = new Random(3)
    batchIndices(random, 9, 5, 20)
    expect(batchIndices(random, 7, 5, 20)).toEqual(batchIndices(new Random(3), 7, 5, 20))
  })
})
