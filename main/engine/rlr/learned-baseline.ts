import { HalfstepError } from '../errors.ts'
import { Random } from '../random/random.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { AlgorithmState } from './algorithm.ts'
import { poolLatents } from './pool-latents.ts'
import { solvePositiveDefinite } from './solve-positive-definite.ts'

export interface LearnedBaselineOptions {
  /** T */
  readonly steps: number
  /** Random features of the latent. */
  readonly features: number
  /** λ of the ridge regression; features are of order 1. */
  readonly ridge: number
  /** What an observation still counts after one more: the parameters move on. */
  readonly decay: number
}

const DEFAULTS = { features: 48, ridge: 0.1, decay: 0.9995 }

/** Features must be the same in every run and process, and are: this seed is theirs alone. */
const FEATURE_SEED = 48271

/**
 * A prediction b(x, t) of the reward from the latent that enters a window. It knows nothing of the window's noise, so that
 * subtracting it biases nothing, as long as a reward is observed only after everything that uses it was predicted.
 *
 * Online ridge regression on φ(x, t) = [1, one-hot(t), √2 cos(W x̄ + v t/T + p)]: random Fourier features (Rahimi & Recht 2007)
 * of the latent averaged over a coarse grid, x̄, and of the time. With A = λI + Σ φφᵀ and c = Σ R φ, b = φᵀ A⁻¹ c.
 */
export class LearnedBaseline {
  readonly #options: LearnedBaselineOptions
  /** φ's length. */
  readonly #size: number
  /** Σ φφᵀ, row-major, and Σ R φ. */
  #products: Float64Array
  #targets: Float64Array
  #solution: Float64Array | undefined
  #projection: Projection | undefined

  constructor(options: Pick<LearnedBaselineOptions, 'steps'> & Partial<LearnedBaselineOptions>) {
    this.#options = { ...DEFAULTS, ...options }
    this.#size = 1 + this.#options.steps + this.#options.features
    this.#products = new Float64Array(this.#size ** 2)
    this.#targets = new Float64Array(this.#size)
  }

  /** Whether any reward was observed; before that, predictions are zero. */
  get informed(): boolean {
    return (this.#products[0] ?? 0) > 0
  }

  /** b per sample. @param latents [b, …] that enter the step at this position */
  predict(position: number, latents: FloatTensor): Float64Array {
    const solution = (this.#solution ??= this.#solve())
    return Float64Array.from(this.#features(position, latents), (phi) => dot(phi, solution))
  }

  /** Learns from one batch of rewards; rewards that are not finite are left out. */
  observe(position: number, latents: FloatTensor, rewards: ArrayLike<number>): void {
    this.#features(position, latents).forEach((phi, b) => {
      const reward = rewards[b] ?? NaN
      if (Number.isFinite(reward)) this.#add(phi, reward)
    })
    this.#solution = undefined
  }

  state(): AlgorithmState {
    return { products: this.#products.slice(), targets: this.#targets.slice() }
  }

  /** Throws `run.damaged` when the state has another size. */
  restore({ products, targets }: AlgorithmState): void {
    if (products?.length !== this.#products.length || targets?.length !== this.#targets.length) {
      throw new HalfstepError('run.damaged', `The checkpoint's learned baseline is not that of a chain of ${this.#options.steps} steps.`)
    }
    this.#products = products.slice()
    this.#targets = targets.slice()
    this.#solution = undefined
  }

  #add(phi: Float64Array, reward: number): void {
    const { decay } = this.#options
    for (let i = 0; i < this.#size; i++) {
      this.#targets[i] = decay * (this.#targets[i] ?? 0) + reward * (phi[i] ?? 0)
      for (let j = 0; j < this.#size; j++) {
        const at = i * this.#size + j
        this.#products[at] = decay * (this.#products[at] ?? 0) + (phi[i] ?? 0) * (phi[j] ?? 0)
      }
    }
  }

  #solve(): Float64Array {
    const matrix = this.#products.slice()
    for (let i = 0; i < this.#size; i++) matrix[i * (this.#size + 1)] = (matrix[i * (this.#size + 1)] ?? 0) + this.#options.ridge
    return solvePositiveDefinite(matrix, this.#targets)
  }

  /** φ of each sample. */
  #features(position: number, latents: FloatTensor): Float64Array[] {
    const { steps, features } = this.#options
    const pooled = poolLatents(latents)
    const width = pooled[0]?.length ?? 0
    const { weights, times, phases } = (this.#projection ??= projection(features, width))
    return pooled.map((x) => {
      const phi = new Float64Array(this.#size)
      phi[0] = 1
      phi[1 + position] = 1
      for (let k = 0; k < features; k++) {
        let angle = (phases[k] ?? 0) + ((times[k] ?? 0) * position) / steps
        for (let i = 0; i < width; i++) angle += (weights[k * width + i] ?? 0) * (x[i] ?? 0)
        phi[1 + steps + k] = Math.SQRT2 * Math.cos(angle)
      }
      return phi
    })
  }
}

interface Projection {
  readonly weights: Float64Array
  readonly times: Float32Array
  readonly phases: readonly number[]
}

/** W ~ N(0, I / width), so that angles are of order 1 whatever the size of the latent; v ~ N(0, 1), p uniform. */
function projection(features: number, width: number): Projection {
  const random = new Random(FEATURE_SEED)
  return {
    weights: Float64Array.from(random.normal('initialisation', [0], [features * width]).data, (value) => value / Math.sqrt(width)),
    times: random.normal('initialisation', [1], [features]).data,
    phases: random.uniform('initialisation', [2], features).map((point) => 2 * Math.PI * point),
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}
