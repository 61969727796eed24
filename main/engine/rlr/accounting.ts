import { HalfstepError } from '../errors.ts'
import type { AlgorithmState } from './algorithm.ts'
import type { Coverage, StepAccount } from './update-context.ts'

const COVERAGES: readonly Coverage[] = ['first-order', 'half-order', 'zeroth-order', 'none']

/** What the updates so far tell about one step of the chain. */
export interface StepSummary {
  /** In how many updates the step was covered by what. */
  readonly covered: Readonly<Record<Coverage, number>>
  /** Running mean of the norm of the step's own part of the gradient estimate; null until one was known. */
  readonly meanNorm: number | null
  /** √E‖ĝ_t‖²: while noise dominates, the standard deviation of the step's estimate. */
  readonly rmsNorm: number | null
  /** Variance of the norm. */
  readonly normVariance: number | null
}

/**
 * Running account of each step's gradient over the updates of a run. Old updates fade, since the parameters they were made with
 * are gone: each moment is Σ decay^age · value / Σ decay^age.
 */
export class GradientAccounting {
  readonly #steps: number
  readonly #decay: number
  /** Per step: Σ of weights, of weighted norms, of weighted squares. */
  #moments: Float64Array
  /** Per step and coverage: how often. */
  #counts: Float64Array

  /** @param steps T @param decay per observation of a step, in (0, 1] */
  constructor(steps: number, decay = 0.98) {
    this.#steps = steps
    this.#decay = decay
    this.#moments = new Float64Array(3 * steps)
    this.#counts = new Float64Array(COVERAGES.length * steps)
  }

  /** Takes in what one update learned. A norm that is not finite is left out. */
  observe(accounts: readonly StepAccount[]): void {
    accounts.forEach(({ coverage, norm }, position) => {
      const count = position * COVERAGES.length + COVERAGES.indexOf(coverage)
      this.#counts[count] = (this.#counts[count] ?? 0) + 1
      if (norm === null || !Number.isFinite(norm)) return
      for (const [power, value] of [1, norm, norm * norm].entries()) {
        const at = 3 * position + power
        this.#moments[at] = this.#decay * (this.#moments[at] ?? 0) + value
      }
    })
  }

  /** By position, noisiest first. */
  summary(): StepSummary[] {
    return Array.from({ length: this.#steps }, (_, position) => {
      const times = (coverage: Coverage): number => this.#counts[position * COVERAGES.length + COVERAGES.indexOf(coverage)] ?? 0
      const covered = {
        'first-order': times('first-order'),
        'half-order': times('half-order'),
        'zeroth-order': times('zeroth-order'),
        'none': times('none'),
      }
      const [weight = 0, sum = 0, squares = 0] = this.#moments.subarray(3 * position, 3 * position + 3)
      if (weight === 0) return { covered, meanNorm: null, rmsNorm: null, normVariance: null }
      const mean = sum / weight
      return { covered, meanNorm: mean, rmsNorm: Math.sqrt(squares / weight), normVariance: Math.max(0, squares / weight - mean * mean) }
    })
  }

  /** What the gradient-norm proposal goes by: mean norms, and the average of the known ones for steps not seen yet. Empty at first. */
  normPerStep(): number[] {
    const norms = this.summary().map(({ meanNorm }) => meanNorm)
    const known = norms.filter((norm) => norm !== null)
    const average = known.reduce((a, b) => a + b, 0) / known.length
    return known.length === 0 ? [] : norms.map((norm) => norm ?? average)
  }

  state(): AlgorithmState {
    return { moments: this.#moments.slice(), counts: this.#counts.slice() }
  }

  /** Throws `run.damaged` when the state is of a chain of another length. */
  restore({ moments, counts }: AlgorithmState): void {
    if (moments?.length !== this.#moments.length || counts?.length !== this.#counts.length) {
      throw new HalfstepError('run.damaged', `The checkpoint's step accounts are not those of a chain of ${this.#steps} steps.`)
    }
    this.#moments = moments.slice()
    this.#counts = counts.slice()
  }
}
