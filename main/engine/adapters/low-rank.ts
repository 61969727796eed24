/** The best approximation of a product of two thin matrices by one of lower rank. */
import { Matrix, SingularValueDecomposition } from 'ml-matrix'

/** A product L R as the columns of L and the rows of R, the i-th of each meeting: L R = Σᵢ columns[i] rows[i]ᵀ. */
export interface Product {
  readonly columns: readonly Float64Array[]
  readonly rows: readonly Float64Array[]
}

export interface Truncated extends Product {
  /** ‖L R‖² = Σ σᵢ² of the product as it was. */
  readonly energy: number
  /** Σ σᵢ² over the singular values that were kept. */
  readonly keptEnergy: number
}

/**
 * Truncated singular value decomposition of L R to `rank` terms, or to as many as it has; by Eckart and Young the nearest
 * product of that rank, its error being √(Σ_{i>rank} σᵢ²).
 *
 * L R is never formed. With orthonormal bases, L = Q₁ C₁ᵀ and R = C₂ Q₂ᵀ, it is Q₁ (C₁ᵀ C₂) Q₂ᵀ, whose middle is as small
 * as the number of terms and has the same singular values. √σ goes to each side, so that neither factor becomes large.
 * All numbers must be finite.
 */
export function truncateProduct({ columns, rows }: Product, rank: number): Truncated {
  const left = orthonormalise(columns)
  const right = orthonormalise(rows)
  const core = new SingularValueDecomposition(left.coefficients.transpose().mmul(right.coefficients))
  const kept = Math.min(rank, columns.length, columns[0]?.length ?? 0, rows[0]?.length ?? 0)
  const roots = core.diagonal.slice(0, kept).map(Math.sqrt)
  return {
    columns: roots.map((root, i) => combine(left.basis, core.leftSingularVectors.getColumn(i), root)),
    rows: roots.map((root, i) => combine(right.basis, core.rightSingularVectors.getColumn(i), root)),
    energy: sumOfSquares(core.diagonal),
    keptEnergy: sumOfSquares(core.diagonal.slice(0, kept)),
  }
}

interface Basis {
  /** As many vectors as were given, orthonormal, those that depend on the ones before them being zero. */
  readonly basis: readonly Float64Array[]
  /** vectors[i] = Σⱼ coefficients[i, j] · basis[j] */
  readonly coefficients: Matrix
}

/** Below this share of a vector's length, what is left of it after projection is rounding error. */
const DEPENDENT = 1e-12

/** Modified Gram–Schmidt, done twice, which makes it as orthogonal as Householder's method (Kahan and Parlett). */
function orthonormalise(vectors: readonly Float64Array[]): Basis {
  const basis: Float64Array[] = []
  const coefficients = Matrix.zeros(vectors.length, vectors.length)
  for (const [i, vector] of vectors.entries()) {
    const rest = vector.slice()
    for (let pass = 0; pass < 2; pass++) {
      for (const [j, direction] of basis.entries()) {
        const share = dot(direction, rest)
        addScaled(rest, direction, -share)
        coefficients.set(i, j, coefficients.get(i, j) + share)
      }
    }
    const length = Math.sqrt(dot(rest, rest))
    const independent = length > DEPENDENT * Math.sqrt(dot(vector, vector))
    coefficients.set(i, i, independent ? length : 0)
    basis.push(rest.map((value) => (independent ? value / length : 0)))
  }
  return { basis, coefficients }
}

/** factor · Σⱼ weights[j] · vectors[j] */
function combine(vectors: readonly Float64Array[], weights: readonly number[], factor: number): Float64Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0)
  for (const [j, vector] of vectors.entries()) addScaled(sum, vector, factor * (weights[j] ?? 0))
  return sum
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** target ← target + factor · vector */
function addScaled(target: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) + factor * (vector[i] ?? 0)
}

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value * value, 0)
}
