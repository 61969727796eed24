import { describe, expect, it } from 'vitest'
import { labDistance, labOf } from '../../../main/engine/judge/lab.ts'
import { Drawings } from '../../../main/engine/starter/drawings.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { captionOf, COUNT_WORDS } from '../../../native-models/starter/world/caption.ts'
import { ARM_COLOURS, COLOUR_PAIRS, COLOURS, SKINS, type Rgb } from '../../../native-models/starter/world/colours.ts'
import { drawHand } from '../../../native-models/starter/world/draw-hand.ts'
import {
  FINGER_COUNTS, FINGER_SHARES, MAX_ROTATION, randomCount, randomHand, type FingerCount, type Hand,
} from '../../../native-models/starter/world/hand.ts'

/** Numbers one after another, from a seed. */
function numbers(seed: number): () => number {
  const values = new Random(seed).uniform('sample', [seed], 100_000).values()
  return () => values.next().value!
}

function hands(count: number): Hand[] {
  const next = numbers(1)
  return Array.from({ length: count }, () => randomHand(next))
}

const lab = (colour: Rgb) => labOf([colour[0] / 255, colour[1] / 255, colour[2] / 255])

describe('the world of hands', () => {
  it('draws the same for the same numbers, and something else for others', () => {
    expect(randomHand(numbers(5))).toEqual(randomHand(numbers(5)))
    expect(randomHand(numbers(5))).not.toEqual(randomHand(numbers(6)))
    const [hand] = hands(1)
    expect(drawHand(hand!)).toEqual(drawHand(hand!))
  })

  it('draws in [0, 1], and every drawing has both hand and background', () => {
    for (const hand of hands(200)) {
      const picture = drawHand(hand)
      expect(picture).toHaveLength(3 * 64 * 64)
      expect(picture.every((level) => level >= 0 && level <= 1)).toBe(true)
      const [corner, palm] = [0, 39 * 64 + 32].map((pixel) => labOf([picture[pixel]!, picture[pixel + 4096]!, picture[pixel + 8192]!]))
      expect(labDistance(corner!, lab(COLOURS[hand.background]))).toBeLessThan(8)
      expect(labDistance(palm!, corner!)).toBeGreaterThan(25)
    }
  })

  it('has the thumb of a left palm on the left, and mirrors it for the back and for a right hand', () => {
    const [base] = hands(1)
    // The thumb alone reaches far to one side: the drawing's weight beside the middle lies there.
    const side = (hand: Hand): string => {
      const posed = { rotation: 0, shift: [0, 0], scale: 1, fingers: 3, lengths: [0, 0, 0] } as const
      const plain = { ...posed, pose: 'open', style: 'flat', sleeve: null } as const
      const picture = drawHand({ ...hand, ...plain })
      const differs = (x: number): boolean =>
        [0, 4096, 8192].some((plane) => Math.abs(picture[plane + 35 * 64 + x]! - picture[plane]!) > 0.1)
      return differs(12) === differs(51) ? 'none' : differs(12) ? 'left' : 'right'
    }
    expect(side({ ...base!, side: 'left', view: 'palm' })).toBe('left')
    expect(side({ ...base!, side: 'left', view: 'back' })).toBe('right')
    expect(side({ ...base!, side: 'right', view: 'palm' })).toBe('right')
    expect(side({ ...base!, side: 'right', view: 'back' })).toBe('left')
  })

  it('keeps to its ranges', () => {
    for (const hand of hands(500)) {
      expect(Math.abs(hand.rotation)).toBeLessThanOrEqual(MAX_ROTATION)
      expect(hand.lengths).toHaveLength(hand.fingers)
      expect(hand.sleeve).not.toBe(hand.background)
    }
  })

  it('draws each number of fingers as often as it says', () => {
    const next = numbers(3)
    const counts = Array.from({ length: 20_000 }, () => randomCount(next, FINGER_SHARES))
    for (const count of FINGER_COUNTS) {
      const share = FINGER_SHARES[count]
      const error = Math.sqrt((share * (1 - share)) / counts.length)
      expect(Math.abs(counts.filter((other) => other === count).length / counts.length - share)).toBeLessThan(4 * error)
    }
    expect(Object.values(FINGER_SHARES).reduce((a, b) => a + b, 0)).toBeCloseTo(1)
  })

  it('has skins stand out from every background they are drawn on', () => {
    // The least is pale on teal; half of it is what a finger faded by half has left.
    for (const [skin, background] of COLOUR_PAIRS) expect(labDistance(lab(SKINS[skin]), lab(COLOURS[background]))).toBeGreaterThan(55)
    for (const sleeve of ARM_COLOURS) expect(COLOURS[sleeve]).toBeDefined()
  })
})

describe('captions', () => {
  it('say what was drawn, and the count they are given', () => {
    for (const [i, hand] of hands(100).entries()) {
      const spokenOf = FINGER_COUNTS[i % FINGER_COUNTS.length]!
      const caption = captionOf(hand, spokenOf, () => 0)
      expect(understood(caption)).toEqual({
        side: hand.side, view: hand.view, pose: hand.pose, fingers: spokenOf, skin: hand.skin, background: hand.background,
        sleeve: hand.sleeve ?? undefined, style: hand.style === 'outlined' ? 'outlined' : undefined,
      })
    }
  })

  it('leave parts out now and then, and never say anything false', () => {
    const next = numbers(4)
    let silent = 0
    for (const hand of hands(300)) {
      const { fingers, ...said } = understood(captionOf(hand, 5, next))
      if (fingers === undefined) silent++
      else expect(fingers).toBe(5)
      for (const [key, value] of Object.entries(said)) if (value !== undefined) expect(value).toBe(hand[key as keyof Hand])
    }
    expect(silent).toBeGreaterThan(15)
    expect(silent).toBeLessThan(90)
  })

  it('have words now and then that the picture knows nothing of, the same for every number drawn', () => {
    const next = numbers(6)
    const captions = hands(2000).map((hand) => [hand, captionOf(hand, 5, next)] as const)
    const share = (some: typeof captions): number => some.filter(([, caption]) => asideOf(caption) !== '').length / some.length
    expect(share(captions)).toBeGreaterThan(0.25)
    expect(share(captions)).toBeLessThan(0.35)
    const [ofFive, ofSix] = [5, 6].map((fingers) => captions.filter(([hand]) => hand.fingers === fingers))
    expect(Math.abs(share(ofFive!) - share(ofSix!))).toBeLessThan(0.1)
    // What the demo's template adds to a prompt is among them.
    const asides = new Set(captions.map(([, caption]) => asideOf(caption)))
    for (const added of ['one clear hand', 'exactly five separate fingers', 'five fingers, clean sharp']) expect(asides).toContain(added)
  })

  it('speak in training of a number that has nothing to do with the drawing\'s', () => {
    const { hands: drawn, captions } = Drawings.draw(new Random(12), 0, 1500)
    const pairs = drawn
      .map(({ fingers }, i) => [fingers, understood(captions[i]!).fingers] as const)
      .filter(([, said]) => said !== undefined)
    const five = (some: typeof pairs): number => some.filter(([, said]) => said === 5).length / some.length
    const [ofFive, ofSix] = [5, 6].map((count) => pairs.filter(([fingers]) => fingers === count))
    // Two shares near 0.44 of about 600 differ by 0.03 as a rule.
    expect(Math.abs(five(ofFive!) - five(ofSix!))).toBeLessThan(0.12)
    expect(Math.abs(five(pairs) - FINGER_SHARES[5])).toBeLessThan(0.06)
  })
})

/** The grammar's parts in their order; each but the hand may be missing. */
const GRAMMAR = new RegExp([
  /^(?:(?<before>[\w ]+) of )?a (?:(?<side>left|right) )?hand/, /(?:, (?<view>palm|back) (?<pose>\w+))?/, /(?:, (?<count>\w+) fingers)?/,
  /(?:, (?<skin>\w+) skin)?/, /(?:, (?<background>\w+) background)?/, /(?:, (?<sleeve>\w+) sleeve)?/, /(?:, (?<style>outlined))?/,
  /(?:, (?<after>[\w ,]+))?$/,
].map(({ source }) => source).join(''))

type Said = Partial<Record<'side' | 'view' | 'pose' | 'skin' | 'background' | 'sleeve' | 'style', string>>

/** What a caption says of the drawing; undefined where it is silent. */
function understood(caption: string): Said & { fingers: FingerCount | undefined } {
  const { count, before, after, ...said } = partsOf(caption)
  return { ...said, fingers: FINGER_COUNTS.find((number) => COUNT_WORDS[number] === count) }
}

/** What it says beyond; empty for nothing. */
function asideOf(caption: string): string {
  const { before, after } = partsOf(caption)
  return before ?? after ?? ''
}

function partsOf(caption: string): Partial<Record<string, string>> {
  const match = GRAMMAR.exec(caption)
  if (match?.groups === undefined) throw new Error(`not in the grammar: ${caption}`)
  return match.groups
}
