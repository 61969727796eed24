import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import sharp from 'sharp'
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { readAdapter } from '../adapters/adapter-file.ts'
import { noiseSchedule } from '../diffusion/noise-schedule.ts'
import { PictureNoise } from '../diffusion/picture-noise.ts'
import { samplingChain } from '../diffusion/sampler.ts'
import { recipeTexts, type PictureRecipe, type RepairedPart } from '../generate/recipe-texts.ts'
import { requireFinite } from '../generate/require-finite.ts'
import { usualLatentSize } from '../generate/usual-latent-size.ts'
import { PictureFolder } from '../pictures/picture-folder.ts'
import type { PictureSize } from '../pictures/picture-file.ts'
import type { SamplePlan } from '../pipeline/prompt-schedule.ts'
import { requireComponent } from '../pipeline/require-component.ts'
import { StableDiffusion, pixelsPerLatent } from '../pipeline/stable-diffusion.ts'
import type { EngineJobs, GeneratedPicture } from '../protocol.ts'
import { loadTemplate } from '../templates/load-template.ts'
import { feathered } from './feather.ts'
import { latentMask } from './latent-mask.ts'
import { drawMasked, type MaskedChain, type MaskedLatents } from './masked-chain.ts'
import { boundsOf, cutOut, readPaintMask, type PaintMask, type Rectangle } from './paint-mask.ts'
import { drawingSize, regionAround, withRim } from './region.ts'
import { encodeSource, readSource, seenPart, withPartDrawn, type SourcePicture } from './source-picture.ts'

export type RepairRequest = EngineJobs['model.repair']['request']
export type RepairProgress = EngineJobs['model.repair']['progress']
export type RepairResult = EngineJobs['model.repair']['result']

/** Enlarged more than this, what was drawn is visibly softer than its surroundings. */
const VISIBLY_SOFT = 1.5

/** What is repaired, and what of it the model sees. */
interface Part {
  readonly source: SourcePicture
  readonly mask: PaintMask
  readonly region: Rectangle
  readonly drawnAt: PictureSize
  /** How much of each pixel is replaced. */
  readonly weights: PaintMask & Rectangle
}

/**
 * Draws the masked part of a picture anew, `count` times from the seeds `seed`, `seed + 1`, …, with an ordinary model, and writes each
 * variant as a PNG file with its recipe in it. The source stays as it is, and outside the mask a variant has the source's own pixels.
 * The model sees the region around the mask, scaled to the size it was trained at.
 *
 * Throws before anything is computed when model, picture, mask, adapters, template or folder are unusable, and `weights.not-finite`
 * or `device.failed` when a picture turns to NaN.
 */
export async function repairPicture(request: RepairRequest, onProgress: (progress: RepairProgress) => void): Promise<RepairResult> {
  const source = await readSource(request.picture)
  const mask = await readPaintMask(request.mask, source)
  const checkpoint = await openCheckpoint(request.model)
  requireComponent(checkpoint, 'vae')
  const part = partOf(request, source, mask, checkpoint)
  const template = request.template && { template: await loadTemplate(request.template.source), slots: request.template.slots }
  const { prompt, negative, guidance, count } = request
  const plan: SamplePlan = {
    prompt, guidance, ...(negative === undefined ? {} : { negative }), ...(template === undefined ? {} : { template }),
  }
  const pipeline = await openPipeline(checkpoint, request, part)
  try {
    const chain = chainOf(pipeline, request)
    const folder = await PictureFolder.open(request.out)
    const repaired = await repairedPart(request, part)
    const draw = await drawer(pipeline, part, plan, chain)
    const steps = chain?.chain.steps.length ?? 0
    const made: GeneratedPicture[] = []
    for (let picture = 0; picture < count; picture++) {
      const seed = request.seed + picture
      const report = (step: number, path: string | null): void => onProgress({ picture, pictures: count, step, steps, path })
      report(0, null)
      const result = await draw(seed, (step) => report(step, null))
      const texts = recipeTexts(recipeOf(request, pipeline, plan, { seed, source, repaired }))
      const path = await folder.add(await encodeSource(result, texts), String(seed))
      made.push({ path, prompt, seed })
      report(steps, path)
    }
    return { pictures: made, notes: [...notesOn(part), ...pipeline.notes] }
  } finally {
    await pipeline.dispose()
  }
}

function partOf({ context, feather }: RepairRequest, source: SourcePicture, mask: PaintMask, checkpoint: Checkpoint): Part {
  const painted = boundsOf(mask) ?? { left: 0, top: 0, width: mask.width, height: mask.height }
  const pixels = pixelsPerLatent(checkpoint)
  const [height, width] = usualLatentSize(checkpoint)
  const side = pixels * Math.sqrt(height * width)
  const region = regionAround(painted, source, context, side)
  const halvings = requireComponent(checkpoint, 'unet').config.downBlocks.length - 1
  const rim = withRim(painted, source)
  return {
    source,
    mask,
    region,
    drawnAt: drawingSize(region, side, pixels * 2 ** halvings),
    weights: { ...rim, ...feathered(cutOut(mask, rim), feather) },
  }
}

async function openPipeline(checkpoint: Checkpoint, request: RepairRequest, { drawnAt }: Part): Promise<StableDiffusion> {
  const { device, precision } = request
  const pixels = pixelsPerLatent(checkpoint)
  const adapters = []
  for (const { path, strength } of request.adapters) adapters.push({ adapter: await readAdapter(path), strength, name: path })
  const size = { latentHeight: drawnAt.height / pixels, latentWidth: drawnAt.width / pixels }
  return StableDiffusion.open(checkpoint, { device, precision, batch: 1, ...size, adapters })
}

/** The end of the chain that a strength stands for: at least one step, all at strength 1; undefined at strength 0. */
function chainOf({ scheduler }: StableDiffusion, { sampler, steps, eta = 0, strength }: RepairRequest): MaskedChain | undefined {
  if (strength === 0) return undefined
  const skip = steps - Math.max(1, Math.round(strength * steps))
  return { chain: samplingChain(scheduler, { sampler, steps, eta, skip }), fromNoise: skip === 0, schedule: noiseSchedule(scheduler) }
}

type Draw = (seed: number, onStep: (done: number) => void) => Promise<SourcePicture>

/** What makes one variant, with everything prepared that all of them share. Without a chain each is the source. */
async function drawer(pipeline: StableDiffusion, part: Part, plan: SamplePlan, chain: MaskedChain | undefined): Promise<Draw> {
  const { source, region, drawnAt, weights, mask } = part
  if (chain === undefined) return async () => source
  const [, , height = 1, width = 1] = pipeline.latentShape
  const latents: MaskedLatents = {
    known: await pipeline.encode(await seenPart(source, region, drawnAt)),
    mask: latentMask(cutOut(mask, region), height, width),
  }
  await requireFinite(latents.known, pipeline, 'in the encoder')
  const denoiser = await pipeline.denoiser([plan], chain.chain.timesteps)
  return async (seed, onStep) => {
    const x0 = await drawMasked(latents, chain, denoiser, new PictureNoise(seed, pipeline.latentShape), async (done, x) => {
      await requireFinite(x, pipeline, `at step ${done}`)
      onStep(done)
    })
    const drawn = await pipeline.decode(x0)
    await requireFinite(drawn, pipeline, 'in the decoder')
    return withPartDrawn(source, region, drawn, weights)
  }
}

function notesOn({ region, drawnAt }: Part): string[] {
  if (region.width <= VISIBLY_SOFT * drawnAt.width) return []
  return [
    `The model drew ${drawnAt.width}x${drawnAt.height} for a place of ${region.width}x${region.height} pixels, `
    + 'so it is softer than its surroundings; smaller places, one after another, come out sharper.',
  ]
}

/** What the recipe says of the source and the mask, so that the file alone tells how it came about. */
async function repairedPart(request: RepairRequest, { mask, region, drawnAt }: Part): Promise<RepairedPart> {
  const { width, height, data } = mask
  const bytes = Uint8Array.from(data, (value) => Math.round(255 * value))
  const png = await sharp(bytes, { raw: { width, height, channels: 1 } }).png({ compressionLevel: 9 }).toBuffer()
  const { picture, feather, context = null, strength } = request
  const sha256 = createHash('sha256').update(await readFile(picture)).digest('hex')
  return { source: { file: basename(picture), sha256 }, mask: png.toString('base64'), feather, context, strength, region, drawnAt }
}

function recipeOf(
  request: RepairRequest,
  pipeline: StableDiffusion,
  plan: SamplePlan,
  { seed, source, repaired }: { readonly seed: number; readonly source: PictureSize; readonly repaired: RepairedPart },
): PictureRecipe {
  const { device, precision } = pipeline.options
  const { sampler, steps, eta = 0, adapters } = request
  return {
    model: basename(pipeline.checkpoint.path),
    family: pipeline.checkpoint.family,
    prompt: plan.prompt,
    negative: plan.negative ?? null,
    template: plan.template ?? null,
    adapters: adapters.map(({ path, strength }) => ({ file: basename(path), strength })),
    seed,
    sampler,
    steps,
    guidance: plan.guidance,
    eta,
    width: source.width,
    height: source.height,
    latents: null,
    device,
    precision,
    repair: repaired,
  }
}
