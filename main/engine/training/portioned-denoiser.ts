import { joined, samplesOf } from '../pipeline/samples.ts'
import { addTo } from '../rlr/batch-arithmetic.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

/** A batch that goes through its network in portions, one after the other, so that memory is that of one: Σ_portions dL/dθ. */
export class PortionedDenoiser implements Denoiser {
  readonly #portions: readonly Denoiser[]
  readonly #size: number

  /** @param portions a denoiser for the samples of each, in their order @param size samples of each */
  constructor(portions: readonly Denoiser[], size: number) {
    this.#portions = portions
    this.#size = size
  }

  get parameterCount(): number {
    return this.#portions[0]?.parameterCount ?? 0
  }

  async predict(position: number, x: FloatTensor, theta: Parameters): Promise<FloatTensor> {
    const predictions: FloatTensor[] = []
    for (const [i, portion] of this.#portions.entries()) predictions.push(await portion.predict(position, this.#samples(x, i), theta))
    return joined(predictions)
  }

  async vjp(position: number, x: FloatTensor, theta: Parameters, u: FloatTensor): Promise<{ dx: FloatTensor; dTheta: Parameters }> {
    const dTheta = new Float32Array(theta.length)
    const dxs: FloatTensor[] = []
    for (const [i, portion] of this.#portions.entries()) {
      const result = await portion.vjp(position, this.#samples(x, i), theta, this.#samples(u, i))
      addTo(dTheta, result.dTheta)
      dxs.push(result.dx)
    }
    return { dx: joined(dxs), dTheta }
  }

  #samples(batch: FloatTensor, portion: number): FloatTensor {
    return joined(samplesOf(batch).slice(portion * this.#size, (portion + 1) * this.#size))
  }
}
