import { basename } from 'node:path'
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { readAdapter } from '../adapters/adapter-file.ts'
import { PictureNoise } from '../diffusion/picture-noise.ts'
import { Sampling, samplingChain, type SamplingChain } from '../diffusion/sampler.ts'
import { HalfstepError } from '../errors.ts'
import { PictureFolder } from '../pictures/picture-folder.ts'
import { encodePng } from '../pictures/png.ts'
import type { SamplePlan } from '../pipeline/prompt-schedule.ts'
import { requireComponent } from '../pipeline/require-component.ts'
import { StableDiffusion, pixelsPerLatent } from '../pipeline/stable-diffusion.ts'
import type { EngineJobs, GeneratedPicture } from '../protocol.ts'
import { loadTemplate } from '../templates/load-template.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { givenNoise, readLatents, type GivenLatents } from './given-latents.ts'
import { recipeTexts, type PictureRecipe } from './recipe-texts.ts'
import { requireFinite } from './require-finite.ts'
import { usualLatentSize } from './usual-latent-size.ts'

export type GenerateRequest = EngineJobs['model.generate']['request']
export type GenerateProgress = EngineJobs['model.generate']['progress']
export type GenerateResult = EngineJobs['model.generate']['result']

/** A picture to be made. */
interface Picture {
  readonly plan: SamplePlan
  readonly seed: number
}

const STEPS = 50

/**
 * Makes pictures of prompts and writes them as PNG files with their recipe in them. The k-th picture of every prompt has the seed
 * `seed + k`, so that each can be made again alone, and prompts can be compared on the same noise.
 *
 * Throws before anything is computed when model, adapters, template, latents or folder are unusable or do not fit one another, and
 * `weights.not-finite` or `device.failed` when a picture turns to NaN.
 */
export async function generatePictures(
  request: GenerateRequest,
  onProgress: (progress: GenerateProgress) => void,
): Promise<GenerateResult> {
  const checkpoint = await openCheckpoint(request.model)
  const channels = requireComponent(checkpoint, 'unet').config.inChannels
  const latents = request.latents === undefined ? undefined : await readLatents(request.latents, channels)
  const template = request.template && { template: await loadTemplate(request.template.source), slots: request.template.slots }
  const pictures = picturesOf(request, template, latents?.starts.length)
  const pipeline = await openPipeline(checkpoint, request, latents)
  try {
    const eta = request.eta ?? (latents?.noise === undefined ? 0 : 1)
    const steps = request.steps ?? latents?.noise?.shape[0] ?? STEPS
    requireNoises(latents, steps)
    const chain = samplingChain(pipeline.scheduler, { sampler: request.sampler, steps, eta })
    await pipeline.prepare(
      pictures.map(({ plan }) => plan),
      chain.timesteps,
    )
    const folder = await PictureFolder.open(request.out)

    const made: GeneratedPicture[] = []
    for (const [index, { plan, seed }] of pictures.entries()) {
      const report = (step: number, path: string | null): void =>
        onProgress({ picture: index, pictures: pictures.length, step, steps, path })
      report(0, null)
      const x0 = await sampleOne(pipeline, chain, plan, noiseOf(pipeline, seed, latents, index), (step) => report(step, null))
      const picture = await pipeline.decode(x0)
      await requireFinite(picture, pipeline, 'in the decoder')
      const started = latents && { index, noise: latents.noise !== undefined }
      const recipe = recipeOf(request, pipeline, { plan, seed }, { steps, eta, latents: started })
      const path = await folder.add(await encodePng(picture, recipeTexts(recipe)), String(seed))
      made.push({ path, prompt: plan.prompt, seed })
      report(steps, path)
    }
    return { pictures: made, notes: [...notesOn(pipeline), ...pipeline.notes] }
  } finally {
    await pipeline.dispose()
  }
}

/** Noise of one picture: x_T, and z of each step. */
interface Noise {
  start(): FloatTensor
  step(position: number): FloatTensor
}

/** x_0 of one picture. */
async function sampleOne(
  pipeline: StableDiffusion,
  chain: SamplingChain,
  plan: SamplePlan,
  noise: Noise,
  onStep: (done: number) => void,
): Promise<FloatTensor> {
  const denoiser = await pipeline.denoiser([plan], chain.timesteps)
  const sampling = new Sampling(chain)
  const theta = new Float32Array(denoiser.parameterCount)
  let x = sampling.start(noise.start())
  for (const [position, { sigma }] of chain.steps.entries()) {
    const e = await denoiser.predict(position, x, theta)
    x = sampling.step(position, x, e, sigma === 0 ? undefined : noise.step(position))
    await requireFinite(x, pipeline, `at step ${position + 1}`)
    onStep(position + 1)
  }
  return x
}

function noiseOf(pipeline: StableDiffusion, seed: number, latents: GivenLatents | undefined, index: number): Noise {
  const own = new PictureNoise(seed, pipeline.latentShape)
  if (latents === undefined) return own
  const { starts, noise } = latents
  return {
    start: () => starts[index] ?? own.start(),
    step: (position) => (noise === undefined ? own.step(position) : givenNoise(noise, position, index)),
  }
}

/** Every prompt `count` times, as many in all as there are latents. */
function picturesOf(request: GenerateRequest, template: SamplePlan['template'], starts: number | undefined): Picture[] {
  const { prompts, negative, guidance, seed } = request
  const count = request.count ?? Math.max(1, Math.floor((starts ?? prompts.length) / prompts.length))
  if (starts !== undefined && starts !== prompts.length * count) {
    const message = `${request.latents} holds latents for ${starts} pictures, but ${prompts.length * count} are to be made.`
    throw new HalfstepError('recipe.impossible', message, 'Set count so that prompts × count is the number of latents.', { key: 'count' })
  }
  return prompts.flatMap((prompt) =>
    Array.from({ length: count }, (_, k) => ({
      plan: { prompt, guidance, ...(negative === undefined ? {} : { negative }), ...(template === undefined ? {} : { template }) },
      seed: seed + k,
    })),
  )
}

async function openPipeline(checkpoint: Checkpoint, request: GenerateRequest, latents: GivenLatents | undefined): Promise<StableDiffusion> {
  const { device, precision } = request
  requireComponent(checkpoint, 'vae')
  const adapters = []
  for (const { path, strength } of request.adapters) adapters.push({ adapter: await readAdapter(path), strength, name: path })
  return StableDiffusion.open(checkpoint, { device, precision, batch: 1, ...latentSize(checkpoint, request, latents), adapters })
}

/** The size asked for, or that of the latents, or the one that the model was trained at. */
function latentSize(checkpoint: Checkpoint, { size, latents: file }: GenerateRequest, latents: GivenLatents | undefined): LatentSize {
  const pixels = pixelsPerLatent(checkpoint)
  const asked = size && { latentHeight: size.height / pixels, latentWidth: size.width / pixels }
  if (latents === undefined) {
    const [latentHeight, latentWidth] = usualLatentSize(checkpoint)
    return asked ?? { latentHeight, latentWidth }
  }
  const [, , latentHeight = 1, latentWidth = 1] = latents.starts[0]?.shape ?? []
  if (asked !== undefined && (asked.latentHeight !== latentHeight || asked.latentWidth !== latentWidth)) {
    const given = `${latentWidth * pixels}x${latentHeight * pixels}`
    const message = `${file} holds latents for pictures of ${given}, another size than the one asked for.`
    throw new HalfstepError('recipe.impossible', message, 'Leave the size away: it follows from the latents.', { key: 'size' })
  }
  return { latentHeight, latentWidth }
}

interface LatentSize {
  readonly latentHeight: number
  readonly latentWidth: number
}

function requireNoises(latents: GivenLatents | undefined, steps: number): void {
  const given = latents?.noise?.shape[0]
  if (given === undefined || given === steps) return
  const message = `The latents come with the noise of ${given} steps, but ${steps} are to be made.`
  throw new HalfstepError('recipe.impossible', message, `Set steps to ${given}.`, { key: 'steps', value: steps })
}

function notesOn({ scheduler, checkpoint }: StableDiffusion): string[] {
  return scheduler.clipSample ? [`${checkpoint.path} asks for clipped samples, which is for models of pixels; it is left out.`] : []
}

function recipeOf(
  request: GenerateRequest,
  pipeline: StableDiffusion,
  { plan, seed }: Picture,
  { steps, eta, latents }: { steps: number; eta: number; latents: { index: number; noise: boolean } | undefined },
): PictureRecipe {
  const { latentHeight, latentWidth, device, precision } = pipeline.options
  return {
    model: basename(pipeline.checkpoint.path),
    family: pipeline.checkpoint.family,
    prompt: plan.prompt,
    negative: plan.negative ?? null,
    template: plan.template ?? null,
    adapters: request.adapters.map(({ path, strength }) => ({ file: basename(path), strength })),
    seed,
    sampler: request.sampler,
    steps,
    guidance: plan.guidance,
    eta,
    width: latentWidth * pipeline.pixelsPerLatent,
    height: latentHeight * pipeline.pixelsPerLatent,
    latents: latents === undefined || request.latents === undefined ? null : { file: basename(request.latents), ...latents },
    device,
    precision,
  }
}
