import type { FloatTensor } from '../tensor/tensor.ts'
import type { TakenStep } from './clipped-ratio.ts'
import { rollOut } from './rollout.ts'
import type { UpdateContext } from './update-context.ts'

/** Rolls the chain out and gives the steps at these noisy positions as they were taken, beside the clean latent. */
export async function takenSteps(
  { denoiser, coefficients, noise, theta }: UpdateContext,
  positions: readonly number[],
): Promise<{ readonly x0: FloatTensor; readonly steps: readonly TakenStep[]; readonly latents: ReadonlyMap<number, FloatTensor> }> {
  const kept = new Set([...positions.flatMap((position) => [position, position + 1]), coefficients.length - 1])
  const { x0, latents } = await rollOut(denoiser, coefficients, noise, () => theta, kept)
  const latent = (position: number): FloatTensor => latents.get(position) ?? x0
  const steps = positions.map((position) => ({
    position,
    coefficients: coefficients[position] ?? { kx: 0, ke: 0, sigma: 0 },
    from: latent(position),
    to: latent(position + 1),
    z: noise.step(position),
  }))
  return { x0, steps, latents }
}
