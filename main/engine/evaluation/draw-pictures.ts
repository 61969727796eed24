import { PictureNoise } from '../diffusion/picture-noise.ts'
import { Sampling, type SamplingChain } from '../diffusion/sampler.ts'
import { HalfstepError } from '../errors.ts'
import type { SamplePlan } from '../pipeline/prompt-schedule.ts'
import { joined } from '../pipeline/samples.ts'
import type { StableDiffusion } from '../pipeline/stable-diffusion.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** A picture to be drawn; the same seed is the same noise, whatever else is drawn with it and by whom. */
export interface PlannedPicture {
  readonly plan: SamplePlan
  readonly seed: number
}

/**
 * Draws as many pictures as the pipeline's batch at a time, and yields them in order: [b, 3, H, W] in [0, 1], clamped as in a file.
 * @param theta of the pipeline's trained adapter. Throws `device.failed` when pictures turn to NaN.
 */
export async function* drawPictures(
  pipeline: StableDiffusion,
  chain: SamplingChain,
  pictures: readonly PlannedPicture[],
  theta: Parameters,
): AsyncGenerator<FloatTensor> {
  const { batch } = pipeline.options
  await pipeline.prepare(pictures.map(({ plan }) => plan), chain.timesteps)
  for (let first = 0; first < pictures.length; first += batch) {
    const wanted = pictures.slice(first, first + batch)
    // The network's batch is fixed: the last one is filled up with copies.
    const filled = Array.from({ length: batch }, (_, i) => wanted[Math.min(i, wanted.length - 1)]!)
    yield await drawBatch(pipeline, chain, filled, wanted.length, theta)
  }
}

/** The first `count` pictures of a whole batch. */
async function drawBatch(
  pipeline: StableDiffusion,
  chain: SamplingChain,
  pictures: readonly PlannedPicture[],
  count: number,
  theta: Parameters,
): Promise<FloatTensor> {
  const [, ...shape] = pipeline.latentShape
  const noises = pictures.map(({ seed }) => new PictureNoise(seed, [1, ...shape]))
  const denoiser = await pipeline.denoiser(pictures.map(({ plan }) => plan), chain.timesteps)
  const sampling = new Sampling(chain)
  let x = sampling.start(joined(noises.map((noise) => noise.start())))
  for (const [position, { sigma }] of chain.steps.entries()) {
    const e = await denoiser.predict(position, x, theta)
    x = sampling.step(position, x, e, sigma === 0 ? undefined : joined(noises.map((noise) => noise.step(position))))
  }
  const kept = float32([count, ...shape], x.data.subarray(0, (x.data.length / pictures.length) * count))
  const { shape: size, data } = await pipeline.decode(kept)
  if (!data.every(Number.isFinite)) {
    throw new HalfstepError('device.failed', 'Pictures turned to NaN.', 'Use the adapter at lower strength, or another device.')
  }
  return float32(size, data.map((value) => Math.min(1, Math.max(0, value))))
}
