/** What was said of two things: 1 for the first, 0 for the second, ½ for neither. */
export interface Comparison {
  readonly first: number
  readonly second: number
  readonly outcome: 1 | 0.5 | 0
}

/** Small enough to learn from a few dozen comparisons of things of length about one. */
const PENALTY = 0.01
const ITERATIONS = 400
const TOLERANCE = 1e-7

/**
 * The linear score s(z) = w·z under which P(first preferred) = 1 / (1 + exp(s(second) − s(first))) (Bradley and Terry 1952) suits
 * the comparisons best: w minimises 1/n Σ [log(1 + exp m) − t m] + λ/2 ‖w‖², with m = w·(z_first − z_second) and outcome t.
 * Convex, so that there is one answer; by Nesterov's accelerated gradient for strongly convex functions (2004, 2.2.22) with the
 * step 1/L, L = ¼ · mean ‖z_first − z_second‖² + λ.
 * @param things rows of as many numbers, of length about one @returns w; all zeros of no comparisons
 */
export function fitBradleyTerry(things: readonly Float64Array[], comparisons: readonly Comparison[]): Float64Array {
  const width = things[0]?.length ?? 0
  const differences = comparisons.map(({ first, second }) => things[first]!.map((value, i) => value - things[second]![i]!))
  const bound = differences.reduce((sum, difference) => sum + dot(difference, difference), 0) / (4 * Math.max(1, differences.length))
  const step = 1 / (bound + PENALTY)
  const ratio = Math.sqrt(PENALTY * step)
  const momentum = (1 - ratio) / (1 + ratio)
  let weights = new Float64Array(width)
  let ahead = weights
  for (let i = 0; i < ITERATIONS; i++) {
    const gradient = gradientAt(ahead, differences, comparisons)
    const next = ahead.map((value, k) => value - step * gradient[k]!)
    const moved = next.map((value, k) => value - weights[k]!)
    ahead = next.map((value, k) => value + momentum * moved[k]!)
    weights = next
    if (dot(moved, moved) <= TOLERANCE ** 2 * Math.max(1, dot(weights, weights))) break
  }
  return weights
}

/** 1/n Σ (σ(m) − t) d + λ w */
function gradientAt(weights: Float64Array, differences: readonly Float64Array[], comparisons: readonly Comparison[]): Float64Array {
  const gradient = weights.map((value) => PENALTY * value)
  differences.forEach((difference, n) => {
    const share = (sigmoid(dot(weights, difference)) - comparisons[n]!.outcome) / differences.length
    for (let k = 0; k < gradient.length; k++) gradient[k]! += share * difference[k]!
  })
  return gradient
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
