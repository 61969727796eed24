/**
 * Solves A x = b for a symmetric positive definite A [n, n] by Cholesky's factorisation A = L Lᵀ, then L y = b, Lᵀ x = y.
 * A is overwritten with L. Throws a RangeError when A is not positive definite.
 */
export function solvePositiveDefinite(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length
  const at = (i: number, j: number): number => a[i * n + j] ?? 0
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = at(i, j)
      for (let k = 0; k < j; k++) sum -= at(i, k) * at(j, k)
      if (i === j && !(sum > 0)) throw new RangeError('the matrix is not positive definite')
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / at(j, j)
    }
  }
  const x = b.slice()
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] = (x[i] ?? 0) - at(i, k) * (x[k] ?? 0)
    x[i] = (x[i] ?? 0) / at(i, i)
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] = (x[i] ?? 0) - at(k, i) * (x[k] ?? 0)
    x[i] = (x[i] ?? 0) / at(i, i)
  }
  return x
}
