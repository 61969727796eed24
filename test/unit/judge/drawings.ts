import type { FingerCount, Hand } from '../../../native-models/starter/world/hand.ts'
import { randomHand } from '../../../native-models/starter/world/hand.ts'
import { SKINS } from '../../../native-models/starter/world/colours.ts'
import { drawHand } from '../../../native-models/starter/world/draw-hand.ts'
import { Random } from '../../../main/engine/random/random.ts'

export const SIZE = 64
const PIXELS = SIZE * SIZE

const EQUAL_SHARES: Readonly<Record<FingerCount, number>> = { 3: 1, 4: 1, 5: 1, 6: 1, 7: 1 }

/** Hands of all styles, with equal shares of 3 to 7 fingers. */
export function freshHands(seed: number, count: number): Hand[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, i) => {
    const numbers = random.uniform('sample', [i], 64).values()
    return randomHand(() => numbers.next().value!, EQUAL_SHARES)
  })
}

/** The side of the picture that a hand's thumb is on. */
export function thumbSideOf({ side, view }: Hand): 'left' | 'right' {
  return (side === 'left') === (view === 'palm') ? 'left' : 'right'
}

/** A drawing that is broken in one way. @param finger which one, thumb 0 */
export type Break = (hand: Hand, finger: number) => Float32Array

/** Half way between a drawing and the same drawing without one finger. */
export const fadedFinger: Break = (hand, finger) => mix(drawHand(hand), drawHand(withoutFinger(hand, finger)), () => 0.5)

/** A gap of four pixels between a finger and the hand. */
export const detachedFinger: Break = (hand, finger) => {
  const without = drawHand(withoutFinger(hand, finger))
  const whole = drawHand(hand)
  const radii = fingerPixels(whole, without).map((pixel) => radiusOf(hand, pixel))
  const start = Math.min(...radii) + 0.35 * (Math.max(...radii) - Math.min(...radii))
  return mix(whole, without, (pixel) => (radiusOf(hand, pixel) >= start && radiusOf(hand, pixel) < start + 4 ? 1 : 0))
}

/** Two neighbours (thumb and first finger are none) with skin between them, almost up to their tips. */
export const fusedFingers: Break = (hand, finger) => {
  const first = 1 + (finger % (hand.fingers - 2))
  const whole = drawHand(hand)
  const [a, b] = [first, first + 1].map((which) => {
    const pixels = fingerPixels(whole, drawHand(withoutFinger(hand, which)))
    return {
      angle: mean(pixels.map((pixel) => angleOf(hand, pixel))),
      tip: Math.max(...pixels.map((pixel) => radiusOf(hand, pixel))),
    }
  }) as [{ angle: number; tip: number }, { angle: number; tip: number }]
  const skin = [0, 1, 2].map((channel) => SKINS[hand.skin][channel]! / 255)
  const between = (pixel: number): boolean => {
    const angle = angleOf(hand, pixel)
    const radius = radiusOf(hand, pixel)
    return angle >= Math.min(a.angle, b.angle) && angle <= Math.max(a.angle, b.angle) && radius > 6 && radius < Math.min(a.tip, b.tip) - 2
  }
  return whole.map((level, i) => (between(i % PIXELS) ? skin[Math.floor(i / PIXELS)]! : level))
}

/** One half hidden to 60 % behind fog: of the background's colour, or white or black over everything. */
export const foggyHalf: Break = (hand, which) => {
  const whole = drawHand(hand)
  const fog = [[whole[0]!, whole[PIXELS]!, whole[2 * PIXELS]!], [0.9, 0.9, 0.9], [0.2, 0.2, 0.2]][which % 3]!
  return whole.map((level, i) => ((i % SIZE < SIZE / 2) === (which % 2 === 0) ? 0.4 * level + 0.6 * fog[Math.floor(i / PIXELS)]! : level))
}

/** Two small hands side by side. */
export const twoHands: Break = (hand) => {
  const [left, right] = [-16, 16].map((x) => drawHand({ ...hand, scale: 0.5, shift: [x, 0] })) as [Float32Array, Float32Array]
  return mix(left, right, (pixel) => (pixel % SIZE < SIZE / 2 ? 0 : 1))
}

/** No hand: the background alone, a disc, stripes, an arm without a hand, or bare noise. */
export const noHand: Break = (hand, which) => {
  const whole = drawHand(hand)
  const ground = [0, 1, 2].map((channel) => whole[channel * PIXELS]!)
  const skin = [0, 1, 2].map((channel) => SKINS[hand.skin][channel]! / 255)
  const noise = new Random(which).uniform('sample', [which], 3 * PIXELS)
  const shapes: readonly ((x: number, y: number) => boolean)[] = [
    () => false,
    (x, y) => Math.hypot(x - 32, y - 34) < 15,
    (x) => x % 16 < 7,
    (x, y) => Math.abs(x - 32) < 8 && y > 30,
  ]
  const shape = shapes[which % 5]
  return whole.map((_, i) => {
    const pixel = i % PIXELS
    const channel = Math.floor(i / PIXELS)
    if (shape === undefined) return noise[i]!
    return shape(pixel % SIZE, Math.floor(pixel / SIZE)) ? skin[channel]! : ground[channel]!
  })
}

/** The finger drawn in until it is within the palm. */
function withoutFinger(hand: Hand, finger: number): Hand {
  return { ...hand, lengths: hand.lengths.map((length, i) => (i === finger ? -14 : length)) }
}

/** Where two drawings differ visibly. */
function fingerPixels(a: Float32Array, b: Float32Array): number[] {
  return Array.from({ length: PIXELS }, (_, i) => i)
    .filter((i) => [0, 1, 2].some((channel) => Math.abs(a[channel * PIXELS + i]! - b[channel * PIXELS + i]!) > 0.1))
}

function mix(a: Float32Array, b: Float32Array, share: (pixel: number) => number): Float32Array {
  return a.map((level, i) => level + (b[i]! - level) * share(i % PIXELS))
}

function radiusOf({ shift }: Hand, pixel: number): number {
  return Math.hypot((pixel % SIZE) - 32 - shift[0], Math.floor(pixel / SIZE) - 39 - shift[1])
}

function angleOf({ shift }: Hand, pixel: number): number {
  return Math.atan2((pixel % SIZE) - 32 - shift[0], 39 + shift[1] - Math.floor(pixel / SIZE))
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
