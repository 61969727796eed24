import type { StepCoefficients } from '../diffusion/ddim.ts'
import type { Random } from '../random/random.ts'
import { klToBase, type PenaltyMeasure } from '../rewards/kl-to-base.ts'
import { addTo } from '../rlr/batch-arithmetic.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import type { UpdateContext } from '../rlr/update-context.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

export interface DriftPenalty {
  /** λ; 0 for no penalty. */
  readonly weight: number
  readonly measure: PenaltyMeasure
}

/**
 * Keeps a model from drifting away from what it was: −λ D on top of the objective, with D the distance to the base at one random
 * step per batch. The latent there is the one that the batch's own rollout passed through, so no rollout is made for it.
 */
export class DriftWatch {
  readonly #penalty: DriftPenalty
  readonly #context: UpdateContext
  readonly #position: number
  #latent: FloatTensor | undefined
  /** D, once it was worked out. */
  value: number | undefined

  constructor(penalty: DriftPenalty, context: UpdateContext) {
    this.#penalty = penalty
    this.#context = context
    this.#position = randomPosition(context.random, context.update, context.coefficients, penalty.measure)
  }

  /** The batch's denoiser, which remembers the latent of its first evaluation at the position: that of the unperturbed rollout. */
  get denoiser(): Denoiser {
    const { parameterCount, predict, vjp } = this.#bound
    return {
      parameterCount,
      vjp,
      predict: (position, x, theta) => {
        if (position === this.#position) this.#latent ??= x
        return predict(position, x, theta)
      },
    }
  }

  /** The gradient with that of −λ D added. Costs two forward passes and a vjp. */
  async addTo(gradient: Parameters): Promise<Parameters> {
    if (this.#latent === undefined) return gradient
    const { coefficients, theta } = this.#context
    const latents = new Map([[this.#position, this.#latent]])
    const base = new Float32Array(theta.length)
    const { value, dTheta } = await klToBase(this.#bound, coefficients, latents, theta, base, this.#penalty.measure)
    this.value = value
    const sum = gradient.slice()
    addTo(sum, dTheta, -this.#penalty.weight)
    return sum
  }

  get #bound(): Denoiser {
    const { denoiser } = this.#context
    return {
      parameterCount: denoiser.parameterCount,
      predict: (...args) => denoiser.predict(...args),
      vjp: (...args) => denoiser.vjp(...args),
    }
  }
}

/** Uniform over the steps that the measure is finite at. */
function randomPosition(random: Random, update: number, coefficients: readonly StepCoefficients[], measure: PenaltyMeasure): number {
  const counted = coefficients.map(({ sigma }) => measure === 'prediction' || sigma > 0)
  const share = 1 / Math.max(1, counted.filter(Boolean).length)
  return random.choice(
    'timestep',
    [update],
    counted.map((counts) => (counts ? share : 0)),
  )
}
