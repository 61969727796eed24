import type { Coverage, StepAccount } from './update-context.ts'

/** Collects what an update learns about each step of a chain. A step visited several times reports the mean of its norms. */
export class StepAccounts {
  readonly #coverage: Coverage[]
  readonly #norms: number[][]

  /** @param steps T */
  constructor(steps: number) {
    this.#coverage = new Array<Coverage>(steps).fill('none')
    this.#norms = Array.from({ length: steps }, () => [])
  }

  /** @param norms of each position's own part of the gradient, before any weight; absent where only their sum is known */
  add(positions: readonly number[], coverage: Coverage, norms: readonly number[] = []): void {
    positions.forEach((position, i) => {
      this.#coverage[position] = coverage
      const norm = norms[i]
      if (norm !== undefined) this.#norms[position]?.push(norm)
    })
  }

  /** By position, noisiest first. */
  list(): StepAccount[] {
    return this.#coverage.map((coverage, position) => {
      const norms = this.#norms[position] ?? []
      return { coverage, norm: norms.length === 0 ? null : norms.reduce((a, b) => a + b, 0) / norms.length }
    })
  }
}
