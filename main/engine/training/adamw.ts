/** AdamW (Loshchilov & Hutter, Decoupled Weight Decay Regularization, 2019), as a pure pair of `init` and `update`. */

export interface AdamWSettings {
  /** Decay of the running mean of the gradient, β₁. */
  readonly beta1: number
  /** Decay of the running mean of its square, β₂. */
  readonly beta2: number
  /** ε, added to the root of the second moment. */
  readonly epsilon: number
  /** λ: each update also takes lr · λ · θ away. */
  readonly weightDecay: number
}

/** What the optimizer remembers; both moments have θ's size. */
export interface AdamWState {
  /** Updates made, t. */
  readonly steps: number
  /** m */
  readonly first: Float32Array
  /** v */
  readonly second: Float32Array
}

export function initAdamW(parameterCount: number): AdamWState {
  return { steps: 0, first: new Float32Array(parameterCount), second: new Float32Array(parameterCount) }
}

/**
 * One step uphill along g, an estimate of ∇J, with m and v corrected for having started at zero:
 *
 *   m ← β₁ m + (1 − β₁) g            v ← β₂ v + (1 − β₂) g²
 *   θ ← θ + lr · ( m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε) − λ θ )
 *
 * Nothing is changed in place, so that an update can be taken back by forgetting it.
 */
export function updateAdamW(
  settings: AdamWSettings,
  state: AdamWState,
  theta: Float32Array,
  gradient: Float32Array,
  learningRate: number,
): { readonly state: AdamWState; readonly theta: Float32Array } {
  const { beta1, beta2, epsilon, weightDecay } = settings
  const steps = state.steps + 1
  const firstCorrection = 1 - beta1 ** steps
  const secondCorrection = 1 - beta2 ** steps
  const first = state.first.map((m, i) => beta1 * m + (1 - beta1) * gradient[i]!)
  const second = state.second.map((v, i) => beta2 * v + (1 - beta2) * gradient[i]! ** 2)
  const moved = theta.map((value, i) => {
    const direction = first[i]! / firstCorrection / (Math.sqrt(second[i]! / secondCorrection) + epsilon)
    return value + learningRate * (direction - weightDecay * value)
  })
  return { state: { steps, first, second }, theta: moved }
}
