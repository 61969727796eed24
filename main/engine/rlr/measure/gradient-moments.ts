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
  readonly #blocks: Block[] = []
  #draws = 0

  /** Draws go round the blocks, so that a slow drift is in all of them. */
  add(gradient: Parameters): void {
    const block = (this.#blocks[this.#draws++ % BLOCKS] ??= { sum: new Float64Array(gradient.length), square: 0, count: 0 })
    gradient.forEach((value, i) => {
      block.sum[i] = (block.sum[i] ?? 0) + value
      block.square += value * value
    })
    block.count++
  }

  get blocks(): number {
    return this.#blocks.length
  }

  /** Over all draws but those of one block. */
  without(block?: number): Moments {
    const kept = this.kept(block)
    const count = kept.reduce((sum, one) => sum + one.count, 0)
    const square = kept.reduce((sum, one) => sum + one.square, 0)
    const mean = new Float64Array(kept[0]?.sum.length ?? 0)
    for (const { sum } of kept) sum.forEach((value, k) => (mean[k] = (mean[k] ?? 0) + value / count))
    return { count, mean, variance: Math.max(0, (square - count * dot(mean, mean)) / (count - 1)) }
  }

  kept(without?: number): Readonly<Block>[] {
    return this.#blocks.filter((_, i) => i !== without)
  }
}

/** Some of the draws: Σ g, Σ ‖g‖², and how many they are. */
interface Block {
  readonly sum: Float64Array
  square: number
  count: number
}

/**
 * ⟨E a, E b⟩ of two estimators that were drawn equally often with the same noises: over pairs of draws from different blocks, since
 * within one the noise that both hold would count as agreement. NaN of a single block.
 */
export function productOfMeans(a: GradientMoments, b: GradientMoments, without?: number): number {
  const others = b.kept(without)
  let [sum, pairs] = [0, 0]
  for (const [i, own] of a.kept(without).entries()) {
    for (const [k, other] of others.entries()) {
      if (i === k) continue
      sum += dot(own.sum, other.sum)
      pairs += own.count * other.count
    }
  }
  return sum / pairs
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
