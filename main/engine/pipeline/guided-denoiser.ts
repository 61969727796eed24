import { branchGradients, guide, isGuided } from '../diffusion/guidance.ts'
import { addTo, combine } from '../rlr/batch-arithmetic.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { UnetConditions, UnetNetwork } from './unet-network.ts'

/** What a batch is told at one step. */
export interface StepConditions {
  readonly timestep: number
  readonly conditional: UnetConditions
  readonly unconditional: UnetConditions
  /** Guidance scale per sample. */
  readonly guidance: readonly number[]
}

/**
 * A UNet with guidance along a chain. The branches run one after the other, so that memory is that of one; without guidance only
 * the conditional one runs.
 */
export class GuidedDenoiser implements Denoiser {
  readonly parameterCount: number
  readonly #unet: UnetNetwork
  readonly #conditionsAt: (position: number) => StepConditions

  constructor(unet: UnetNetwork, conditionsAt: (position: number) => StepConditions) {
    this.parameterCount = unet.layout.size
    this.#unet = unet
    this.#conditionsAt = conditionsAt
  }

  async predict(position: number, x: FloatTensor, theta: Parameters): Promise<FloatTensor> {
    const { timestep, conditional, unconditional, guidance } = this.#conditionsAt(position)
    const c = await this.#unet.predict(x, timestep, conditional, theta)
    if (!isGuided(guidance)) return c
    return guide(await this.#unet.predict(x, timestep, unconditional, theta), c, guidance)
  }

  async vjp(position: number, x: FloatTensor, theta: Parameters, u: FloatTensor): Promise<{ dx: FloatTensor; dTheta: Parameters }> {
    const { timestep, conditional, unconditional, guidance } = this.#conditionsAt(position)
    const upstream = branchGradients(u, guidance)
    const c = await this.#unet.vjp(x, timestep, conditional, theta, upstream.conditional)
    if (!isGuided(guidance)) return c
    const other = await this.#unet.vjp(x, timestep, unconditional, theta, upstream.unconditional)
    addTo(c.dTheta, other.dTheta)
    return { dx: combine(1, c.dx, 1, other.dx), dTheta: c.dTheta }
  }
}
