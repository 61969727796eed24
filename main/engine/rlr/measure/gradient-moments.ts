import type { Parameters } from '../denoiser.ts'

/** A figure with its standard error. */
export interface Estimate {
  readonly value: number
  readonly standardError: number
}

/** Blocks of draws that standard errors are judged by. */
export const BLOCKS = 10

/**
 * First moments of a gradient over draws, kept by blocks: memory grows with neither the draws nor their number, and what is worked
 * out from all draws can be worked out again without each block, which is what its standard error comes from.
 */
export class GradientMoments {
  readonly #sums: Float64Array[] = []
  readonly #squares: number[] = []
  readonly #counts: number[] = []
  #draws = 0

  /** Draws go round the blocks, so that a slow drift is in all of them. */
  add(gradient: Parameters): void {
    const block = this.#draws++ % BLOCKS
    const sum = (this.#sums[block] ??= new Float64Array(gradient.length))
    let square = 0
    gradient.forEach((value, i) => {
      sum[i] = (sum[i] ?? 0) + value
      square += value * value
    })
    this.#squares[block] = (this.#squares[block] ?? 0) + square
    this.#counts[block] = (this.#counts[block] ?? 0) + 1
  }

  get blocks(): number {
    return this.#counts.length
  }

  /** Over all draws but those of one block. */
  without(block?: number): Moments {
    const kept = this.#counts.flatMap((_, i) => (i === block ? [] : [i]))
    const count = kept.reduce((sum, i) => sum + (this.#counts[i] ?? 0), 0)
    const square = kept.reduce((sum, i) => sum + (this.#squares[i] ?? 0), 0)
    const mean = new Float64Array(this.#sums[0]?.length ?? 0)
    for (const i of kept) this.#sums[i]?.forEach((value, k) => (mean[k] = (mean[k] ?? 0) + value / count))
    return { count, mean, variance: Math.max(0, (square - count * dot(mean, mean)) / (count - 1)) }
  }
}

export interface Moments {
  readonly count: number
  readonly mean: Float64Array
  /** E‖g − E g‖²: of one draw, summed over components. NaN for a single draw. */
  readonly variance: number
}

/**
 * A figure with its delete-a-block jackknife standard error, √((G−1)/G Σ (f₋ᵢ − f̄)²), which holds for any smooth figure, those of
 * several estimators over the same draws included. NaN with fewer than two blocks.
 * @param blocks G @param figure worked out without a block, or from all
 */
export function jackknife(blocks: number, figure: (without?: number) => number): Estimate {
  const left = Array.from({ length: blocks }, (_, block) => figure(block))
  const average = left.reduce((a, b) => a + b, 0) / blocks
  const spread = left.reduce((sum, value) => sum + (value - average) ** 2, 0)
  return { value: figure(), standardError: blocks < 2 ? NaN : Math.sqrt(((blocks - 1) / blocks) * spread) }
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}
