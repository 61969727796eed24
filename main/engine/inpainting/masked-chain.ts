import { noiseLevelAt, type NoiseSchedule } from '../diffusion/noise-schedule.ts'
import { Sampling, type SamplingChain } from '../diffusion/sampler.ts'
import type { Denoiser } from '../rlr/denoiser.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** Latents of which a part is to be drawn anew. */
export interface MaskedLatents {
  /** x_0 of the picture as it is, [1, c, h, w]. */
  readonly known: FloatTensor
  /** [1, 1, h, w]: 1 is drawn anew, 0 stays. */
  readonly mask: FloatTensor
}

/** Noise of one picture, [1, c, h, w] each. */
export interface ChainNoise {
  start(): FloatTensor
  step(position: number): FloatTensor
}

export interface MaskedChain {
  /** May leave out the noisiest steps of its whole: then the picture as it is shows through. */
  readonly chain: SamplingChain
  /** Whether it begins at the noisiest step, so that nothing of what is drawn over is left. */
  readonly fromNoise: boolean
  readonly schedule: NoiseSchedule
}

/**
 * x_0 with the masked part drawn anew by a network that knows nothing of masks. At every position the rest is put back as the
 * forward process has it at this level (Lugmayr et al. 2022, "RePaint", without going back and forth), with one ε for all levels,
 * so that under a deterministic sampler it follows a path of its own:
 *
 *   x ← m · x + (1 − m) · (√ᾱ x_0 + √(1−ᾱ) ε)
 *
 * A chain that does not begin from noise starts on √ᾱ x_0 + √(1−ᾱ) ε inside the mask too (Meng et al. 2022, SDEdit).
 * @param onStep told the steps done and the latents after each
 */
export async function drawMasked(
  { known, mask }: MaskedLatents,
  { chain, fromNoise, schedule }: MaskedChain,
  denoiser: Denoiser,
  noise: ChainNoise,
  onStep: (done: number, x: FloatTensor) => void | Promise<void> = () => undefined,
): Promise<FloatTensor> {
  const sampling = new Sampling(chain)
  const epsilon = noise.start()
  const theta = new Float32Array(denoiser.parameterCount)
  const knownAt = (position: number): FloatTensor => noised(known, epsilon, signalAt(schedule, chain.timesteps[position]))
  let x = fromNoise ? blended(mask, sampling.start(epsilon), knownAt(0)) : knownAt(0)
  for (const [position, { sigma }] of chain.steps.entries()) {
    const e = await denoiser.predict(position, x, theta)
    const next = sampling.step(position, x, e, sigma === 0 ? undefined : noise.step(position))
    x = blended(mask, next, knownAt(position + 1))
    await onStep(position + 1, x)
  }
  return x
}

/** ᾱ at a timestep; 1 behind the last one, where the latents are clean. */
function signalAt(schedule: NoiseSchedule, timestep: number | undefined): number {
  return timestep === undefined ? 1 : 1 / (noiseLevelAt(schedule, timestep) ** 2 + 1)
}

/** √ᾱ x_0 + √(1−ᾱ) ε */
function noised(x0: FloatTensor, epsilon: FloatTensor, alphaBar: number): FloatTensor {
  const [signal, spread] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)]
  return float32(x0.shape, x0.data.map((value, i) => signal * value + spread * epsilon.data[i]!))
}

/** m · a + (1 − m) · b, the same mask for every channel. */
function blended(mask: FloatTensor, a: FloatTensor, b: FloatTensor): FloatTensor {
  const size = mask.data.length
  return float32(a.shape, a.data.map((value, i) => (mask.data[i % size] === 0 ? b.data[i]! : value)))
}
