import { DRAWING_SIZE, drawHand } from '../../../native-models/starter/world/draw-hand.ts'
import { FINGER_COUNTS, randomHand, type FingerCount } from '../../../native-models/starter/world/hand.ts'
import type { Random } from '../random/random.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { EQUAL_SHARES } from './drawings.ts'

const PLANE = DRAWING_SIZE ** 2
const PIXELS = 3 * PLANE
const UNCLEAR = FINGER_COUNTS.length

/** The same hand twice, with numbers of fingers that differ by one: RGB [n, 3, 64, 64] in [0, 1] each. */
export interface HandPairs {
  readonly counts: readonly FingerCount[]
  readonly hands: Float32Array
  readonly others: Float32Array
}

/** Pictures as an autoencoder gives them back: of the hands, and of mixtures halfway between hand and other. */
export interface DecodedPairs {
  readonly hands: Float32Array
  readonly mixtures: Float32Array
}

export function drawPairs(random: Random, count: number): HandPairs {
  const counts: FingerCount[] = []
  const hands = new Float32Array(count * PIXELS)
  const others = new Float32Array(count * PIXELS)
  for (let i = 0; i < count; i++) {
    const values = random.uniform('sample', [i], 64)
    let used = 0
    const hand = randomHand(() => values[used++] ?? 0.5, EQUAL_SHARES)
    const other = neighbour(hand.fingers, values[63] ?? 0)
    counts.push(hand.fingers)
    hands.set(drawHand(hand), i * PIXELS)
    others.set(drawHand({ ...hand, fingers: other }), i * PIXELS)
  }
  return { counts, hands, others }
}

function neighbour(fingers: FingerCount, u: number): FingerCount {
  const options = FINGER_COUNTS.filter((count) => Math.abs(count - fingers) === 1)
  return options[Math.floor(u * options.length)] ?? fingers
}

/**
 * One batch for the critic: hands as drawn and as decoded, and pictures whose fingers nobody could count, because two hands are
 * laid over each other in all or part of the picture or mixed in the latent space; all of them flipped, shifted, tinted, blurred and
 * noised at random. What a fine-tuned model is rewarded for must hold for its own pictures, not for clean drawings alone.
 * @returns pictures [b, 3, 64, 64] and one class per picture
 */
export function criticBatch(
  random: Random,
  step: number,
  batch: number,
  pairs: HandPairs,
  decoded: DecodedPairs,
): { readonly pictures: FloatTensor; readonly classes: readonly number[] } {
  const pictures = float32([batch, 3, DRAWING_SIZE, DRAWING_SIZE], new Float32Array(batch * PIXELS))
  const noise = random.normal('stepNoise', [step], pictures.shape).data
  const classes = Array.from({ length: batch }, (_, i) => {
    const values = random.uniform('shuffle', [step, i], 24)
    let used = 0
    const next = (): number => values[used++] ?? 0
    const index = Math.floor(next() * pairs.counts.length)
    const { picture, label } = choose(index, next, pairs, decoded)
    const altered = alter(picture, next)
    const spread = next() < 0.5 ? 0 : 0.08 * next()
    for (let k = 0; k < PIXELS; k++) pictures.data[i * PIXELS + k] = altered[k]! + spread * noise[i * PIXELS + k]!
    return label
  })
  return { pictures, classes }
}

function choose(index: number, next: () => number, pairs: HandPairs, decoded: DecodedPairs): { picture: Float32Array; label: number } {
  const at = (all: Float32Array): Float32Array => all.subarray(index * PIXELS, (index + 1) * PIXELS)
  const label = FINGER_COUNTS.indexOf(pairs.counts[index] ?? 5)
  const kind = next()
  if (kind < 0.25) return { picture: at(pairs.hands), label }
  if (kind < 0.55) return { picture: at(decoded.hands), label }
  if (kind < 0.7) return { picture: at(decoded.mixtures), label: UNCLEAR }
  if (kind < 0.8) return { picture: mixed(at(decoded.hands), at(pairs.others), 0.15 * next(), next), label }
  return { picture: mixed(at(kind < 0.9 ? pairs.hands : decoded.hands), at(pairs.others), 0.3 + 0.4 * next(), next), label: UNCLEAR }
}

/** Two pictures over each other, with this share of the second: all over, or on one side of a line. */
function mixed(a: Float32Array, b: Float32Array, share: number, next: () => number): Float32Array {
  const whole = next() < 0.6
  const angle = 2 * Math.PI * next()
  const [nx, ny] = [Math.cos(angle), Math.sin(angle)]
  return a.map((value, k) => {
    const [x, y] = [k % DRAWING_SIZE, Math.floor((k % PLANE) / DRAWING_SIZE)]
    const inside = whole || (x - 32) * nx + (y - 30) * ny > 0
    return inside ? value + share * (b[k]! - value) : value
  })
}

/** Flipped, shifted by up to two pixels, tinted and blurred at random. */
function alter(picture: Float32Array, next: () => number): Float32Array {
  const flip = next() < 0.5
  const [dx, dy] = [Math.floor(5 * next()) - 2, Math.floor(5 * next()) - 2]
  const tints = [0, 1, 2].map(() => 0.12 * (next() - 0.5))
  const contrast = 0.85 + 0.25 * next()
  const blur = next() < 0.4 ? 0.25 * next() : 0
  const clamp = (at: number): number => Math.min(DRAWING_SIZE - 1, Math.max(0, at))
  const moved = picture.map((_, k) => {
    const [channel, x, y] = [Math.floor(k / PLANE), k % DRAWING_SIZE, Math.floor((k % PLANE) / DRAWING_SIZE)]
    const column = clamp((flip ? DRAWING_SIZE - 1 - x : x) + dx)
    const value = picture[channel * PLANE + clamp(y + dy) * DRAWING_SIZE + column]!
    return 0.5 + contrast * (value - 0.5) + tints[channel]!
  })
  return blur === 0 ? moved : blurred(moved, blur)
}

/** Each pixel mixed with its four neighbours, which get this share each (at most ¼). */
export function blurred(picture: Float32Array, share: number): Float32Array {
  return picture.map((value, k) => {
    const [x, y] = [k % DRAWING_SIZE, Math.floor((k % PLANE) / DRAWING_SIZE)]
    const left = x > 0 ? picture[k - 1]! : value
    const right = x < DRAWING_SIZE - 1 ? picture[k + 1]! : value
    const up = y > 0 ? picture[k - DRAWING_SIZE]! : value
    const down = y < DRAWING_SIZE - 1 ? picture[k + DRAWING_SIZE]! : value
    return (1 - 4 * share) * value + share * (left + right + up + down)
  })
}
