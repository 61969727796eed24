import type { FloatTensor } from '../tensor/tensor.ts'

/** The trained parameters θ (an adapter's matrices) as one flat vector. */
export type Parameters = Float32Array

/**
 * The network's prediction e_i(x; θ) at each position i of a sampling chain (0 is the noisiest), guidance and the prompts of this
 * batch included. Batches are [b, ...latent].
 */
export interface Denoiser {
  readonly parameterCount: number
  predict(position: number, x: FloatTensor, theta: Parameters): Promise<FloatTensor>
  /**
   * For the upstream gradient u = dL/de: dL/dx = (∂e/∂x)ᵀ u, and dL/dθ = (∂e/∂θ)ᵀ u summed over the batch.
   * Whatever is recomputed for it is freed again before it resolves.
   */
  vjp(position: number, x: FloatTensor, theta: Parameters, u: FloatTensor): Promise<{ dx: FloatTensor; dTheta: Parameters }>
}

/** What is to be maximised: a number for each clean latent of the batch. */
export interface ChainReward {
  /** R(x_0) per sample. */
  value(x0: FloatTensor): Promise<Float64Array>
  /** R(x_0) per sample and Σ_b weight_b · dR_b/dx_0; absent for a black box. */
  readonly gradient?: (x0: FloatTensor, weights: Float64Array) => Promise<{ values: Float64Array; dx0: FloatTensor }>
}
