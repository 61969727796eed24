import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { drawHand } from '../../../native-models/starter/world/draw-hand.ts'
import { judgePicture, judgePictures } from '../../../main/engine/judge/judge-picture.ts'
import { summarise } from '../../../main/engine/judge/summarise.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import {
  detachedFinger, fadedFinger, foggyHalf, freshHands, fusedFingers, noHand, thumbSideOf, twoHands, type Break,
} from './drawings.ts'

/** The share of a list for which something holds. */
function shareOf<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.filter(holds).length / items.length
}

describe('on fresh drawings of all styles the judge', () => {
  const hands = freshHands(2026, 2000)
  const started = process.cpuUsage()
  const pictures = hands.map(drawHand)
  const drawn = process.cpuUsage(started)
  const judged = hands.map((hand, i) => ({ hand, verdict: judgePicture(pictures[i]!) }))
  const spent = process.cpuUsage(started)

  it('counts fingers right', () => {
    expect(shareOf(judged, ({ hand, verdict }) => hand.fingers === verdict.fingers)).toBeGreaterThan(0.995)
    for (const count of [3, 4, 5, 6, 7]) {
      const some = judged.filter(({ hand }) => hand.fingers === count)
      expect(some.length).toBeGreaterThan(300)
      expect(shareOf(some, ({ verdict }) => verdict.fingers === count)).toBeGreaterThan(0.98)
    }
  })

  it('finds nearly all of them well-formed, and every one a hand', () => {
    expect(shareOf(judged, ({ verdict }) => verdict.wellFormed)).toBeGreaterThan(0.98)
    expect(shareOf(judged, ({ verdict }) => verdict.isHand)).toBe(1)
  })

  it('names backgrounds and skins', () => {
    expect(shareOf(judged, ({ hand, verdict }) => hand.background === verdict.background)).toBeGreaterThan(0.99)
    expect(shareOf(judged, ({ hand, verdict }) => hand.skin === verdict.skinName)).toBeGreaterThan(0.99)
  })

  it('sees the thumb\'s side, and the outline where it can be seen', () => {
    expect(shareOf(judged, ({ hand, verdict }) => verdict.thumbSide === thumbSideOf(hand))).toBeGreaterThan(0.99)
    const told = judged.filter(({ verdict }) => verdict.outlined !== null)
    expect(told.length).toBeGreaterThan(1000)
    expect(shareOf(told, ({ hand, verdict }) => verdict.outlined === (hand.style === 'outlined'))).toBeGreaterThan(0.99)
  })

  it('takes a few milliseconds of processor time', () => {
    const milliseconds = (spent.user + spent.system - drawn.user - drawn.system) / 1000
    // About 2 on the machine it was written on.
    expect(milliseconds / hands.length).toBeLessThan(10)
  })
})

describe('a broken drawing is not well-formed:', () => {
  const hands = freshHands(7, 300)
  it.each<[string, Break]>([
    ['a finger faded by half', fadedFinger],
    ['a finger detached', detachedFinger],
    ['two fingers fused', fusedFingers],
    ['half of it in fog', foggyHalf],
    ['two hands', twoHands],
    ['no hand', noHand],
  ])('%s', (_, breaking) => {
    const verdicts = hands.map((hand, i) => judgePicture(breaking(hand, i % hand.fingers)))
    expect(shareOf(verdicts, ({ wellFormed }) => !wellFormed)).toBeGreaterThan(0.9)
    expect(verdicts.every(({ wellFormed, faults }) => wellFormed === (faults.length === 0))).toBe(true)
  })

  it('and without a hand it has no fingers', () => {
    for (const [i, hand] of hands.entries()) expect(judgePicture(noHand(hand, i % 5))).toMatchObject({ isHand: false, fingers: 0 })
  })

  it('and a blurred one is blurred', () => {
    const verdicts = hands.slice(0, 100).map((hand) => judgePicture(blurred(drawHand(hand), 2.5)))
    expect(shareOf(verdicts, ({ wellFormed }) => !wellFormed)).toBeGreaterThan(0.95)
  })
})

describe('the judge', () => {
  const [hand] = freshHands(1, 1)

  it('counts on soft and noisy drawings nearly as well', () => {
    const hands = freshHands(8, 300)
    const random = new Random(8)
    const right = (changed: (picture: Float32Array, i: number) => Float32Array): number =>
      shareOf(hands.map((some, i) => ({ some, i })), ({ some, i }) => judgePicture(changed(drawHand(some), i)).fingers === some.fingers)
    expect(right((picture) => blurred(picture, 0.6))).toBeGreaterThan(0.98)
    expect(right((picture) => blurred(picture, 1))).toBeGreaterThan(0.95)
    expect(right((picture, i) => {
      const { data } = random.normal('stepNoise', [i], [picture.length])
      return picture.map((level, k) => Math.min(1, Math.max(0, level + 0.03 * data[k]!)))
    })).toBeGreaterThan(0.97)
  })

  it('judges batches picture by picture', () => {
    const hands = freshHands(9, 3)
    const batch = new Float32Array(3 * 3 * 64 * 64)
    hands.forEach((some, i) => batch.set(drawHand(some), i * 3 * 64 * 64))
    expect(judgePictures(float32([3, 3, 64, 64], batch))).toEqual(hands.map((some) => judgePicture(drawHand(some))))
  })

  it('refuses other sizes', () => {
    expect(() => judgePicture(new Float32Array(3 * 32 * 32))).toThrow(RangeError)
    expect(() => judgePictures(float32([1, 3, 32, 32], new Float32Array(3 * 32 * 32)))).toThrow(RangeError)
  })

  it('survives numbers outside 0 … 1', () => {
    const picture = drawHand(hand!).map((level) => 1.4 * level - 0.2)
    expect(judgePicture(picture).fingers).toBe(hand!.fingers)
  })

  it('shares no code with the world, the critic or the networks', () => {
    const folder = join(import.meta.dirname, '../../../main/engine/judge')
    for (const name of readdirSync(folder)) {
      const imports = [...readFileSync(join(folder, name), 'utf8').matchAll(/from '([^']+)'/g)].map(([, source]) => source!)
      for (const source of imports) expect(source).toMatch(/^(\.\/|\.\.\/(tensor|errors|pictures|statistics)|node:)/)
    }
  })
})

describe('a summary', () => {
  const verdicts = freshHands(10, 60).map((hand, i) => judgePicture(i < 50 ? drawHand(hand) : noHand(hand, 0)))
  const summary = summarise(verdicts)

  it('counts every picture once, and gives shares with intervals', () => {
    expect(summary.pictures).toBe(60)
    expect(Object.values(summary.counts).reduce((a, b) => a + b, 0)).toBe(60)
    expect(summary.counts[0]).toBe(10)
    expect(summary.noHand).toMatchObject({ successes: 10, trials: 60 })
    expect(Object.values(summary.wellFormedCounts).reduce((a, b) => a + b, 0)).toBe(summary.wellFormed.successes)
    expect(summary.wellFormed.low).toBeLessThan(summary.wellFormed.share)
  })

  it('spreads less over the same picture many times', () => {
    const same = summarise(verdicts.slice(0, 1).flatMap((verdict) => Array<typeof verdict>(20).fill(verdict)))
    expect(same.spread.skinLightness).toBeCloseTo(0, 6)
    expect(same.spread.skinHue).toBeCloseTo(0, 4)
    expect(Object.keys(same.spread.backgrounds)).toHaveLength(1)
    expect(summary.spread.skinLightness).toBeGreaterThan(10)
    expect(Object.keys(summary.spread.backgrounds).length).toBeGreaterThan(4)
  })

  it('of nothing has no shares but holds', () => {
    expect(summarise([])).toMatchObject({ pictures: 0, counts: {}, wellFormed: { trials: 0, low: 0, high: 1 } })
  })
})

/** A picture [3, 64, 64] under a Gaussian of σ pixels, its border repeated. */
function blurred(picture: Float32Array, sigma: number): Float32Array {
  const reach = Math.ceil(3 * sigma)
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)))
  const total = weights.reduce((a, b) => a + b, 0)
  const along = (levels: Float32Array, dx: number, dy: number): Float32Array => levels.map((_, i) => {
    const [x, y, plane] = [i % 64, Math.floor(i / 64) % 64, Math.floor(i / 4096) * 4096]
    const inside = (at: number): number => Math.min(63, Math.max(0, at))
    return weights.reduce((sum, weight, k) =>
      sum + weight * levels[plane + inside(y + dy * (k - reach)) * 64 + inside(x + dx * (k - reach))]!, 0) / total
  })
  return along(along(picture, 1, 0), 0, 1)
}
