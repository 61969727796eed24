import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { truncateProduct, type Product } from '../../../main/engine/adapters/low-rank.ts'
import { randomTensor } from './example-adapters.ts'

function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  return Matrix.from1DArray(rows, columns, randomTensor([rows, columns], seed).data)
}

/** The singular values of the product, from the product itself. */
function singularValues(left: Matrix, right: Matrix): number[] {
  return new SingularValueDecomposition(left.mmul(right), { autoTranspose: true }).diagonal
}

const norm = (matrix: Matrix) => matrix.norm('frobenius')

/** The vectors as the rows of a matrix. */
const stack = (vectors: readonly Float64Array[]) => new Matrix(vectors.map((vector) => [...vector]))
const multiply = ({ columns, rows }: Product) => stack(columns).transpose().mmul(stack(rows))
const productOf = (left: Matrix, right: Matrix): Product => ({
  columns: left.transpose().to2DArray().map((column) => Float64Array.from(column)),
  rows: right.to2DArray().map((row) => Float64Array.from(row)),
})

describe.each([
  ['thin', 12, 4, 9],
  ['with more inner than outer dimensions', 5, 8, 6],
  ['wide on one side', 20, 7, 3],
  ['of a single row', 1, 3, 10],
])('a product %s (%i×%i×%i)', (_, out, inner, inputs) => {
  const left = randomMatrix(out, inner, 1)
  const right = randomMatrix(inner, inputs, 2)
  const values = singularValues(left, right)

  it.each([1, 2, 3, 4, 100])('cut to rank %i errs by exactly the discarded singular values', (rank) => {
    const cut = truncateProduct(productOf(left, right), rank)
    const discarded = Math.hypot(...values.slice(rank), 0)
    expect(norm(Matrix.sub(multiply(cut), left.mmul(right)))).toBeCloseTo(discarded, 10)
    expect(cut.columns).toHaveLength(Math.min(rank, out, inner, inputs))
    expect(cut.rows).toHaveLength(cut.columns.length)
  })

  it('has its energy reported', () => {
    const { energy, keptEnergy } = truncateProduct(productOf(left, right), 2)
    expect(energy).toBeCloseTo(norm(left.mmul(right)) ** 2, 8)
    expect(keptEnergy).toBeCloseTo((values[0] ?? 0) ** 2 + (values[1] ?? 0) ** 2, 8)
  })
})

describe('a product without full rank', () => {
  it('of zero stays zero', () => {
    const cut = truncateProduct(productOf(Matrix.zeros(6, 3), randomMatrix(3, 5, 1)), 2)
    expect(cut.energy).toBe(0)
    expect(norm(multiply(cut))).toBe(0)
  })

  it('is kept whole at its own rank', () => {
    const column = randomMatrix(8, 1, 1)
    const left = new Matrix(column.to2DArray().map(([value = 0]) => [value, 2 * value, -value]))
    const right = randomMatrix(3, 7, 2)
    expect(norm(Matrix.sub(multiply(truncateProduct(productOf(left, right), 1)), left.mmul(right)))).toBeLessThan(1e-12)
  })

  it('keeps its energy when two columns differ by almost nothing', () => {
    const left = randomMatrix(8, 2, 1)
    for (let row = 0; row < 8; row++) left.set(row, 1, left.get(row, 0) * (1 + 1e-13 * row))
    const right = randomMatrix(2, 7, 2)
    const { energy, keptEnergy } = truncateProduct(productOf(left, right), 2)
    expect(energy).toBeCloseTo(norm(left.mmul(right)) ** 2, 10)
    expect(keptEnergy).toBeCloseTo(energy, 10)
  })
})
