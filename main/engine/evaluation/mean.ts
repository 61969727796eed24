/** A mean with its standard error, which is NaN of fewer than two values. */
export interface Mean {
  readonly value: number
  readonly standardError: number
}

/** x̄ and √(Σ (x − x̄)² / (n − 1) / n). */
export function meanOf(values: readonly number[]): Mean {
  const count = values.length
  const value = values.reduce((a, b) => a + b, 0) / count
  const squares = values.reduce((sum, each) => sum + (each - value) ** 2, 0)
  return { value, standardError: count < 2 ? NaN : Math.sqrt(squares / (count - 1) / count) }
}
