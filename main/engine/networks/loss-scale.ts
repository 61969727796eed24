/**
 * The factor on the upstream gradient of a half-precision backward pass, divided out of its results again: without it small
 * gradients fall below float16's range (Micikevicius et al. 2018). It halves when a gradient overflows and doubles after a
 * stretch without overflow. Powers of two, so that scaling rounds nothing.
 */
export interface LossScale {
  readonly factor: number
  /** Passes in a row that did not overflow. */
  readonly calmPasses: number
}

export const INITIAL_LOSS_SCALE: LossScale = { factor: 2 ** 10, calmPasses: 0 }

const LARGEST = 2 ** 16
/** Below this the overflow is no matter of scale: the network itself gives numbers that are not finite. */
const SMALLEST = 2 ** -10
const PASSES_BEFORE_GROWTH = 200

/** The scale for the next pass; undefined when it cannot be lowered any further. */
export function nextLossScale({ factor, calmPasses }: LossScale, overflowed: boolean): LossScale | undefined {
  if (overflowed) return factor <= SMALLEST ? undefined : { factor: factor / 2, calmPasses: 0 }
  if (calmPasses + 1 < PASSES_BEFORE_GROWTH || factor >= LARGEST) return { factor, calmPasses: calmPasses + 1 }
  return { factor: factor * 2, calmPasses: 0 }
}
