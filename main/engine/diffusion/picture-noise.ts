import { Random } from '../random/random.ts'
import type { Shape } from '../tensor/shape.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

/**
 * The noise of one picture, from its own seed alone: which other pictures are made with it, and how many at a time, changes nothing.
 */
export class PictureNoise {
  readonly #random: Random
  readonly #shape: Shape

  /** @param seed an integer in [0, 2⁵³) @param shape of one picture's latents, [1, c, h, w] */
  constructor(seed: number, shape: Shape) {
    this.#random = new Random(seed)
    this.#shape = shape
  }

  /** x_T ~ N(0, I) */
  start(): FloatTensor {
    return this.#random.normal('startingNoise', [], this.#shape)
  }

  /** z of the step at a position, ~ N(0, I) */
  step(position: number): FloatTensor {
    return this.#random.normal('stepNoise', [position], this.#shape)
  }
}
