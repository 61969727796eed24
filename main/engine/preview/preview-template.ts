import sharp from 'sharp'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { cleanEstimate } from '../diffusion/clean-estimate.ts'
import { PictureNoise } from '../diffusion/picture-noise.ts'
import { Sampling, samplingChain } from '../diffusion/sampler.ts'
import { requireFinite } from '../generate/require-finite.ts'
import { usualLatentSize } from '../generate/usual-latent-size.ts'
import { encodePng } from '../pictures/png.ts'
import type { SamplePlan } from '../pipeline/prompt-schedule.ts'
import { requireComponent } from '../pipeline/require-component.ts'
import { StableDiffusion } from '../pipeline/stable-diffusion.ts'
import type { EngineJobs } from '../protocol.ts'
import { parseTemplate } from '../templates/template.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

type PreviewRequest = EngineJobs['template.preview']['request']
type PreviewProgress = EngineJobs['template.preview']['progress']

/**
 * Draws one picture with a template and tells, at some steps, what the model takes it for: the decoded clean picture that its
 * prediction means there. The last one told, at fraction 0, is the picture itself.
 *
 * Throws `template.malformed`, what opening the model throws, and `weights.not-finite` when the picture turns to NaN.
 */
export async function previewTemplate(
  request: PreviewRequest,
  onProgress: (progress: PreviewProgress) => void,
): Promise<EngineJobs['template.preview']['result']> {
  const { prompt, negative, guidance, slots, seed, steps, sampler } = request
  const template = { template: parseTemplate(request.template, 'The template'), slots }
  const plan: SamplePlan = { prompt, guidance, template, ...(negative === undefined ? {} : { negative }) }
  const pipeline = await openPipeline(request)
  try {
    const { scheduler } = pipeline
    const chain = samplingChain(scheduler, { sampler, steps, eta: 0 })
    const denoiser = await pipeline.denoiser([plan], chain.timesteps)
    const fractions = chain.timesteps.map((timestep) => timestep / scheduler.numTrainTimesteps)
    const shown = spreadOut(fractions, request.pictures - 1)
    const tell = async (step: number, fraction: number, latent: FloatTensor): Promise<void> => {
      onProgress({ step, steps, picture: { step, fraction, png: await smallPng(await pipeline.decode(latent), request.side) } })
    }
    const sampling = new Sampling(chain)
    const theta = new Float32Array(denoiser.parameterCount)
    let x = sampling.start(new PictureNoise(seed, pipeline.latentShape).start())
    for (const [position, timestep] of chain.timesteps.entries()) {
      const e = await denoiser.predict(position, x, theta)
      if (shown.has(position)) await tell(position, fractions[position]!, cleanEstimate(scheduler, timestep, x, e))
      x = sampling.step(position, x, e)
      await requireFinite(x, pipeline, `at step ${position + 1}`)
      onProgress({ step: position + 1, steps, picture: null })
    }
    await tell(steps, 0, x)
    return { notes: [...pipeline.notes] }
  } finally {
    await pipeline.dispose()
  }
}

async function openPipeline({ model, device, precision }: PreviewRequest): Promise<StableDiffusion> {
  const checkpoint = await openCheckpoint(model)
  requireComponent(checkpoint, 'unet')
  requireComponent(checkpoint, 'vae')
  const [latentHeight, latentWidth] = usualLatentSize(checkpoint)
  return StableDiffusion.open(checkpoint, { device, precision, batch: 1, latentHeight, latentWidth, adapters: [] })
}

/** Positions whose fractions lie nearest to `count` places spread evenly from the first on. */
function spreadOut(fractions: readonly number[], count: number): Set<number> {
  const from = fractions[0] ?? 1
  const places = Array.from({ length: count }, (_, i) => from * (1 - i / count))
  const nearest = (place: number): number =>
    fractions.reduce((best, fraction, position) => (Math.abs(fraction - place) < Math.abs(fractions[best]! - place) ? position : best), 0)
  return new Set(places.map(nearest))
}

async function smallPng(picture: FloatTensor, side: number): Promise<Uint8Array> {
  const png = await encodePng(picture)
  const [height = 0, width = 0] = picture.shape.slice(-2)
  if (Math.max(height, width) <= side) return png
  return new Uint8Array(await sharp(png).resize(side, side, { fit: 'inside' }).png().toBuffer())
}
