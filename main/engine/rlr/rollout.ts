import type { StepCoefficients } from '../diffusion/ddim.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import type { Denoiser, Parameters } from './denoiser.ts'

/** The randomness of one rollout, given by place so that it can be made again. */
export interface ChainNoise {
  /** x_T [b, ...latent] */
  start(): FloatTensor
  /** z of the step at this position, of the same shape. */
  step(position: number): FloatTensor
}

export interface Rollout {
  /** The clean latent x_0. */
  readonly x0: FloatTensor
  /** The latents that were asked for, by the position of the step that takes them. */
  readonly latents: ReadonlyMap<number, FloatTensor>
}

/**
 * Runs the chain x' = kx · x + ke · e(x; θ) + σ · z from pure noise to the clean latent.
 * @param keep positions whose incoming latent is returned; nothing else is held
 * @param thetaAt the parameters at each position, which differ when a term perturbs some steps only
 */
export async function rollOut(
  denoiser: Denoiser,
  coefficients: readonly StepCoefficients[],
  noise: ChainNoise,
  thetaAt: (position: number) => Parameters,
  keep: ReadonlySet<number> = new Set(),
): Promise<Rollout> {
  const latents = new Map<number, FloatTensor>()
  let x = noise.start()
  for (const [position, coefficient] of coefficients.entries()) {
    if (keep.has(position)) latents.set(position, x)
    const e = await denoiser.predict(position, x, thetaAt(position))
    x = step(x, e, coefficient, coefficient.sigma === 0 ? undefined : noise.step(position))
  }
  return { x0: x, latents }
}

/** kx · x + ke · e + σ · z */
export function step(x: FloatTensor, e: FloatTensor, { kx, ke, sigma }: StepCoefficients, z: FloatTensor | undefined): FloatTensor {
  const data = new Float32Array(x.data.length)
  for (let i = 0; i < data.length; i++) data[i] = kx * (x.data[i] ?? 0) + ke * (e.data[i] ?? 0) + sigma * (z?.data[i] ?? 0)
  return float32(x.shape, data)
}
