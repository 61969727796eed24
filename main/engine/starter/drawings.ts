import { createHash } from 'node:crypto'
import { captionOf } from '../../../native-models/starter/world/caption.ts'
import { DRAWING_SIZE, drawHand } from '../../../native-models/starter/world/draw-hand.ts'
import {
  FINGER_SHARES,
  randomCount,
  randomHand,
  type FingerCount,
  type Hand,
  type Uniform,
} from '../../../native-models/starter/world/hand.ts'
import type { Random } from '../random/random.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** Numbers that one drawing and its caption take at most. */
const NUMBERS_PER_DRAWING = 48

const PIXELS = 3 * DRAWING_SIZE ** 2

/** Equal shares of every number of fingers, for what must know them all alike. */
export const EQUAL_SHARES: Readonly<Record<FingerCount, number>> = { 3: 1, 4: 1, 5: 1, 6: 1, 7: 1 }

/** The drawings that the autoencoder and the denoiser are trained on. */
export const TRAINING_SET = { seed: 100, count: 32_000, shares: FINGER_SHARES } as const

/** Drawings with their ground truth, in bytes, since there are many. */
export class Drawings {
  readonly hands: readonly Hand[]
  readonly captions: readonly string[]
  /** RGB [n, 3, 64, 64], 0 … 255. */
  readonly bytes: Uint8Array

  private constructor(hands: readonly Hand[], captions: readonly string[], bytes: Uint8Array) {
    this.hands = hands
    this.captions = captions
    this.bytes = bytes
  }

  /**
   * Drawings `first` … `first + count − 1` of an endless row that the seed decides. A caption speaks of a number of fingers of
   * its own, drawn with the same shares, independent of the picture's: that is the defect of the training set.
   */
  static draw(random: Random, first: number, count: number, shares = FINGER_SHARES): Drawings {
    const bytes = new Uint8Array(count * PIXELS)
    const hands: Hand[] = []
    const captions: string[] = []
    for (let i = 0; i < count; i++) {
      const next = numbers(random, first + i)
      const hand = randomHand(next, shares)
      const spokenOf = randomCount(next, shares)
      hands.push(hand)
      captions.push(captionOf(hand, spokenOf, next))
      const picture = drawHand(hand)
      for (let k = 0; k < PIXELS; k++) bytes[i * PIXELS + k] = Math.round(255 * picture[k]!)
    }
    return new Drawings(hands, captions, bytes)
  }

  get count(): number {
    return this.hands.length
  }

  /** Of all that is drawn and said, so that drawings of a world that has changed since can be told. */
  get fingerprint(): string {
    return createHash('sha256').update(JSON.stringify([this.hands, this.captions])).update(this.bytes).digest('hex').slice(0, 16)
  }

  /** Some of the pictures, [b, 3, 64, 64] in [0, 1]. */
  pictures(indices: readonly number[]): FloatTensor {
    const data = new Float32Array(indices.length * PIXELS)
    indices.forEach((index, i) => {
      for (let k = 0; k < PIXELS; k++) data[i * PIXELS + k] = this.bytes[index * PIXELS + k]! / 255
    })
    return float32([indices.length, 3, DRAWING_SIZE, DRAWING_SIZE], data)
  }
}

/** The indices of step `step`'s batch: the set is gone through in a new order each time. */
export function batchIndices(random: Random, step: number, batch: number, count: number): number[] {
  const perEpoch = Math.floor(count / batch)
  const order = orderOf(random, Math.floor(step / perEpoch), count)
  const start = (step % perEpoch) * batch
  return [...order.subarray(start, start + batch)]
}

/** The last order asked for, since consecutive steps share it. */
let lastOrder: { readonly random: Random; readonly epoch: number; readonly order: Uint32Array } | undefined

function orderOf(random: Random, epoch: number, count: number): Uint32Array {
  if (lastOrder?.random !== random || lastOrder.epoch !== epoch || lastOrder.order.length !== count) {
    lastOrder = { random, epoch, order: Uint32Array.from(random.permutation('shuffle', [epoch], count)) }
  }
  return lastOrder.order
}

function numbers(random: Random, index: number): Uniform {
  const values = random.uniform('sample', [index], NUMBERS_PER_DRAWING)
  let used = 0
  return () => {
    const value = values[used++]
    if (value === undefined) throw new RangeError(`a drawing took more than ${NUMBERS_PER_DRAWING} random numbers`)
    return value
  }
}
