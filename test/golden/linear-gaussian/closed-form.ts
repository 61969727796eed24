import { stepMatrix, stepOffset, type LinearGaussianChain } from './chain.ts'

/**
 * J = E[R(x_0)] averaged over the batch, with parameters of its own for every step. x stays Gaussian:
 *
 *   A = kx I + ke (M + Σ θ_k G_k),  m' = A m + ke (N θ + c),  S' = A S Aᵀ + σ² I,  E[R] = −½ (tr(Q S) + mᵀ Q m) + qᵀ m
 */
export function expectedReward(chain: LinearGaussianChain, thetaPerStep: readonly ArrayLike<number>[]): number {
  const { d, Q, q, groups, coefficients } = chain
  let sum = 0
  for (const prompt of groups) {
    let m = new Float64Array(d)
    let S = new Float64Array(d * d)
    for (let i = 0; i < d; i++) S[i * (d + 1)] = 1
    coefficients.forEach(({ kx, ke, sigma }, position) => {
      const theta = thetaPerStep[position]!
      const A = stepMatrix(chain, position, theta).map((value, i) => ke * value + (i % (d + 1) === 0 ? kx : 0))
      const a = stepOffset(chain, position, prompt, theta)
      m = product(A, m, d, 1).map((value, i) => value + ke * a[i]!)
      S = product(A, transposed(product(A, S, d, d), d), d, d).map((value, i) => value + (i % (d + 1) === 0 ? sigma * sigma : 0))
    })
    for (let i = 0; i < d; i++) {
      sum += q[i]! * m[i]!
      for (let j = 0; j < d; j++) sum -= 0.5 * Q[i * d + j]! * (S[i * d + j]! + m[i]! * m[j]!)
    }
  }
  return sum / groups.length
}

/**
 * g_t = ∂J/∂θ_t for every step, [T][p]. J is quadratic in the parameters of one step, so centred differences are exact but for
 * rounding, whatever their width.
 */
export function exactGradients(chain: LinearGaussianChain): Float64Array[] {
  const shared = Float64Array.from(chain.theta)
  const at = (position: number, k: number, offset: number): number =>
    expectedReward(
      chain,
      chain.coefficients.map((_, i) => (i === position ? shared.map((value, j) => value + (j === k ? offset : 0)) : shared)),
    )
  return chain.coefficients.map((_, position) => shared.map((_, k) => at(position, k, 0.5) - at(position, k, -0.5)))
}

/** Σ of the gradients of these steps, all of them by default. */
export function total(gradients: readonly Float64Array[], positions: readonly number[] = [...gradients.keys()]): Float64Array {
  return gradients[0]!.map((_, k) => positions.reduce((sum, position) => sum + gradients[position]![k]!, 0))
}

/** a [d, d] · b [d, columns] */
function product(a: Float64Array, b: Float64Array, d: number, columns: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(d * columns)
  for (let i = 0; i < d; i++)
    for (let j = 0; j < columns; j++) for (let k = 0; k < d; k++) out[i * columns + j]! += a[i * d + k]! * b[k * columns + j]!
  return out
}

/** The transpose of A S is S Aᵀ, S being symmetric; A · (A S)ᵀ = A S Aᵀ. */
function transposed(a: Float64Array, d: number): Float64Array {
  return a.map((_, i) => a[(i % d) * d + Math.floor(i / d)]!)
}
