import { elementCount, type Shape } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { philox } from './philox.ts'

/**
 * What random numbers are for. Each purpose has numbers of its own, so that drawing more of one changes none of another.
 * The numbers are part of what a finished run is reproduced from: add new ones at the end, never change one.
 */
export const STREAMS = {
  startingNoise: 0,
  stepNoise: 1,
  window: 2,
  direction: 3,
  prompt: 4,
  initialisation: 5,
  timestep: 6,
  shuffle: 7,
  dropout: 8,
  depth: 9,
  sample: 10,
} as const

export type Stream = keyof typeof STREAMS

/**
 * Random numbers by place instead of by state: the same seed, stream and indices always give the same ones, in any order and in
 * any process. That is what makes a run resumable and a picture repeatable.
 */
export class Random {
  readonly #key: readonly [number, number]

  /** @param seed an integer in [0, 2⁵³) */
  constructor(seed: number) {
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]
  }

  /** Independent standard normal numbers in the given shape. @param indices up to two non-negative integers, such as update and step */
  normal(stream: Stream, indices: Indices, shape: Shape): FloatTensor {
    const values = new Float32Array(elementCount(shape))
    this.#fill(stream, indices, values.length, (i, a, b) => {
      // Box–Muller: two uniform numbers make two normal ones. The first is kept away from zero.
      const radius = Math.sqrt(-2 * Math.log((a + 1) / 2 ** 32))
      const angle = (2 * Math.PI * b) / 2 ** 32
      values[i] = radius * Math.cos(angle)
      if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle)
    })
    return float32(shape, values)
  }

  /** Independent numbers uniform in [0, 1). */
  uniform(stream: Stream, indices: Indices, count: number): number[] {
    const values: number[] = []
    this.#fill(stream, indices, count, (_, a, b) => values.push(a / 2 ** 32, b / 2 ** 32))
    return values.slice(0, count)
  }

  /** An index drawn with the given probabilities, which sum to 1. */
  choice(stream: Stream, indices: Indices, probabilities: readonly number[]): number {
    const [point = 0] = this.uniform(stream, indices, 1)
    let sum = 0
    const chosen = probabilities.findIndex((probability) => (sum += probability) > point)
    // Rounding may leave the sum a little under 1.
    return chosen === -1 ? probabilities.findLastIndex((probability) => probability > 0) : chosen
  }

  /** The integers 0 … count − 1 in random order. */
  permutation(stream: Stream, indices: Indices, count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i)
    const draws = this.uniform(stream, indices, count)
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor((draws[i] ?? 0) * (i + 1))
      const kept = order[i] ?? 0
      order[i] = order[j] ?? 0
      order[j] = kept
    }
    return order
  }

  /** Calls `use` with the position of every second number and two 32-bit words for it and the next. */
  #fill(stream: Stream, [first = 0, second = 0]: Indices, count: number, use: (position: number, a: number, b: number) => void): void {
    const words = new Uint32Array(4)
    for (let position = 0; position < count; position += 4) {
      philox(this.#key, [position / 4, STREAMS[stream], first, second], words)
      use(position, words[0] ?? 0, words[1] ?? 0)
      if (position + 2 < count) use(position + 2, words[2] ?? 0, words[3] ?? 0)
    }
  }
}

/** Which of a stream's draws: up to two non-negative integers below 2³². */
export type Indices = readonly [first?: number, second?: number]
