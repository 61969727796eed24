/** Adam (Kingma & Ba 2015) with decoupled weight decay and a running mean of the weights, for whole networks: in place, in one pass. */

export interface AdamSettings {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  /** The gradient is shortened to this norm where it is longer. */
  readonly maxNorm: number
  /** Decay of the running mean of the weights (EMA). */
  readonly averageDecay: number
}

/** What has been remembered after some steps; all vectors are as long as the weights. */
export interface AdamState {
  steps: number
  readonly first: Float32Array<ArrayBuffer>
  readonly second: Float32Array<ArrayBuffer>
  /** Running mean of the weights: smoother than the last ones, and what is kept in the end. */
  readonly average: Float32Array<ArrayBuffer>
}

export function initAdam(weights: Float32Array): AdamState {
  const { length } = weights
  return { steps: 0, first: new Float32Array(length), second: new Float32Array(length), average: weights.slice() }
}

/**
 * One step down the gradient, which may come in pieces that together are as long as the weights.
 * The running mean warms up, min(decay, (1 + t)/(10 + t)), so that it does not remember the beginning.
 * @returns the norm of the gradient before it was shortened; when that is not finite nothing is changed
 */
export function stepAdam(
  settings: AdamSettings,
  state: AdamState,
  weights: Float32Array,
  gradients: readonly Float32Array[],
  learningRate: number,
): number {
  const { beta1, beta2, epsilon, weightDecay, maxNorm, averageDecay } = settings
  let squares = 0
  for (const piece of gradients) for (let i = 0; i < piece.length; i++) squares += piece[i]! * piece[i]!
  const norm = Math.sqrt(squares)
  if (!Number.isFinite(norm)) return norm
  const shorten = Math.min(1, maxNorm / (norm + 1e-12))

  const t = (state.steps += 1)
  const rate = learningRate / (1 - beta1 ** t)
  const secondCorrection = 1 / (1 - beta2 ** t)
  const keep = Math.min(averageDecay, (1 + t) / (10 + t))
  const { first, second, average } = state
  let k = 0
  for (const piece of gradients) {
    for (let i = 0; i < piece.length; i++, k++) {
      const g = shorten * piece[i]!
      const m = (first[k] = beta1 * first[k]! + (1 - beta1) * g)
      const v = (second[k] = beta2 * second[k]! + (1 - beta2) * g * g)
      const w = weights[k]!
      const moved = (weights[k] = w - (rate * m) / (Math.sqrt(v * secondCorrection) + epsilon) - learningRate * weightDecay * w)
      average[k] = average[k]! + (1 - keep) * (moved - average[k]!)
    }
  }
  return norm
}
