/** Supervised fine-tuning of a Stable Diffusion checkpoint's adapter on a folder of pictures: the training task of a recipe. */
import { join } from 'node:path'
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { replaceFile, writeAll } from '../../../native-models/weights/replace-file.ts'
import { readAdapter, writeAdapter } from '../adapters/adapter-file.ts'
import { bucketSizes, intoBuckets, type Bucketed } from '../dataset/aspect-buckets.ts'
import { encodePictures } from '../dataset/encode-pictures.ts'
import { readImageFolder, type CaptionedPicture, type ImageFolder } from '../dataset/image-folder.ts'
import { LatentCache } from '../dataset/latent-cache.ts'
import type { PictureSize } from '../pictures/picture-file.ts'
import { noiseSchedule } from '../diffusion/noise-schedule.ts'
import { Sampling, samplingChain } from '../diffusion/sampler.ts'
import { PictureCodec } from '../pipeline/picture-codec.ts'
import { requireComponent } from '../pipeline/require-component.ts'
import { pixelsPerLatent, StableDiffusion, type PipelineOptions } from '../pipeline/stable-diffusion.ts'
import { encodePng } from '../pictures/png.ts'
import type { Device, Recomputation } from '../protocol.ts'
import { Random } from '../random/random.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import { deviceMemory, peakMemory } from '../runtime/memory.ts'
import { isTarget } from './adapter-targets.ts'
import type { DenoisingRecipe } from './denoising-recipe.ts'
import { DenoisingTask, type Bucket, type DenoisingModel, type Example } from './denoising-task.ts'
import { FewOpen } from './few-open.ts'
import { nodeFileSystem, type FileSystem } from './file-system.ts'
import { availableBytes, recomputationKey, refuseTooLarge, refuseUpdateTooLarge, type MemoryKey } from './preflight.ts'
import { impossible } from './read-recipe.ts'
import { USUAL_SIZE } from './recipe-pipeline.ts'
import type { TaskNote, TrainingTask } from './training-task.ts'
import { bytesAtLeast, unetBytes } from './update-memory.ts'

export interface DenoisingTaskOptions {
  readonly device: Device
  /** Where latents of the pictures are kept, in a folder that is there when the run begins. */
  readonly cache: string
  readonly files?: FileSystem
}

/**
 * Opens everything a recipe needs. Pictures are encoded when they are first asked for. Throws before anything is computed when
 * model, folders or adapter are unusable, naming key and remedy.
 */
export async function openDenoisingTask(recipe: DenoisingRecipe, options: DenoisingTaskOptions): Promise<TrainingTask> {
  const { dataset, prior, loss, batch, seed } = recipe
  const checkpoint = await openCheckpoint(recipe.model)
  const sizes = sizesOf(checkpoint, recipe)
  const folder = await picturesIn(dataset.folder, dataset.caption, 'dataset.folder')
  const priors = prior === null ? undefined : await picturesIn(prior.folder, prior.caption, 'prior.folder')
  const buckets = withPriors(intoBuckets(folder.pictures, sizes), priors?.pictures ?? [])
  const skipped = [folder, ...(priors === undefined ? [] : [priors])].flatMap(notesOn)
  const notes = [...skipped, ...notesOnSizes(buckets.length, dataset.openSizes)]
  const model = await StableDiffusionDenoising.open({ recipe, checkpoint, buckets, notes, options })
  const settings = { seed, pictures: batch.pictures, accumulation: batch.accumulation, prior, ...loss }
  return new DenoisingTask(model, settings)
}

async function picturesIn(path: string, caption: string, key: string): Promise<ImageFolder> {
  const folder = await readImageFolder(path, caption)
  if (folder.pictures.length > 0) return folder
  const [skipped] = folder.skipped
  const fault = skipped === undefined ? 'holds no pictures.' : `holds no picture that can be read: ${skipped.reason}`
  throw impossible(key, `${path} ${fault}`, `Set ${key} to a folder with PNG, JPEG or WebP pictures.`)
}

function notesOn({ path, skipped }: ImageFolder): TaskNote[] {
  return skipped.map(({ reason }) => ({ kind: 'skipped-picture', message: `${path}: ${reason}`, nextStep: 'The run goes on without it.' }))
}

/** Opening a network can take longer than many updates. */
function notesOnSizes(sizes: number, openSizes: number): TaskNote[] {
  if (sizes <= openSizes) return []
  const message = `The pictures are cut to ${sizes} sizes, and dataset.openSizes keeps the networks of ${openSizes} in memory.`
  const nextStep = `Raise dataset.openSizes to ${sizes} if the memory allows it, or lower dataset.largestAspect.`
  return [{ kind: 'many-sizes', message, nextStep }]
}

/** Sizes that pictures may be cut to. */
function sizesOf(checkpoint: Checkpoint, { dataset }: DenoisingRecipe): PictureSize[] {
  const { config } = requireComponent(checkpoint, 'unet')
  const granularity = pixelsPerLatent(checkpoint) * 2 ** (config.downBlocks.length - 1)
  const usual = USUAL_SIZE[checkpoint.family]
  const [height, width] = config.sampleSize ?? [usual, usual]
  const own = Math.max(1, Math.round((Math.sqrt(height * width) * pixelsPerLatent(checkpoint)) / granularity)) * granularity
  const { resolution = own, largestAspect } = dataset
  if (resolution % granularity !== 0) {
    const message = `dataset.resolution is ${resolution}, and the sizes of this model are multiples of ${granularity}.`
    throw impossible('dataset.resolution', message, `Set dataset.resolution to a multiple of ${granularity}.`)
  }
  return bucketSizes({ resolution, granularity, largestAspect })
}

/** A bucket of pictures with those of what is to be kept, in the same size, so that an update has one. */
interface PictureBucket extends Bucketed<CaptionedPicture> {
  readonly priors: readonly CaptionedPicture[]
}

/** Each prior goes where it loses least; a bucket that none went to takes them all. */
function withPriors(buckets: readonly Bucketed<CaptionedPicture>[], priors: readonly CaptionedPicture[]): PictureBucket[] {
  const nearest = intoBuckets(priors, buckets.map(({ size }) => size))
  return buckets.map((bucket) => ({ ...bucket, priors: nearest.find(({ size }) => size === bucket.size)?.pictures ?? priors }))
}

interface DenoisingParts {
  readonly recipe: DenoisingRecipe
  readonly checkpoint: Checkpoint
  readonly buckets: readonly PictureBucket[]
  readonly notes: readonly TaskNote[]
  readonly options: DenoisingTaskOptions
}

/**
 * The networks for each size are opened when a batch has it; `dataset.openSizes` of them are in memory at most, and beside them
 * the encoders only until their results are known.
 */
class StableDiffusionDenoising implements DenoisingModel {
  readonly alphaBars: Float64Array
  readonly #parts: DenoisingParts
  /** Says what is trained; none of its networks is ever compiled. */
  readonly #plan: StableDiffusion
  readonly #initialTheta: Parameters
  #pipelines: FewOpen<PictureSize, StableDiffusion>
  #recomputation: Recomputation
  #buckets: Promise<readonly Bucket[]> | undefined

  private constructor(parts: DenoisingParts, plan: StableDiffusion, initialTheta: Parameters) {
    this.alphaBars = noiseSchedule(plan.scheduler).alphaBars
    this.#parts = parts
    this.#plan = plan
    this.#initialTheta = initialTheta
    this.#recomputation = parts.recipe.recomputation
    this.#pipelines = new FewOpen(parts.recipe.dataset.openSizes, (size) => this.#openPipeline(size))
  }

  static async open(parts: DenoisingParts): Promise<StableDiffusionDenoising> {
    const { recipe, checkpoint, buckets, options: { device } } = parts
    requireComponent(checkpoint, 'vae')
    const plan = await openPipeline(parts, buckets[0]!.size)
    const memory = await deviceMemory(device)
    const held = bytesAtLeast(checkpoint, recipe, device, plan.layout.size)
    refuseTooLarge(held, memory?.totalBytes ?? null, device)
    const open = Math.min(recipe.dataset.openSizes, buckets.length)
    // All sizes have about the same area.
    const activations = open * unetBytes(checkpoint, plan.options, true)
    refuseUpdateTooLarge({ held, activations }, await availableBytes(device), device, memoryKeys(recipe, buckets[0]!.size, open))
    const { start } = recipe.adapter
    const initialTheta = start === undefined ? plan.initialTheta(new Random(recipe.seed)) : plan.fromAdapter(await readAdapter(start))
    return new StableDiffusionDenoising(parts, plan, initialTheta)
  }

  get parameterCount(): number {
    return this.#plan.layout.size
  }

  get predictionType() {
    return this.#parts.checkpoint.predictionType
  }

  get notes(): readonly TaskNote[] {
    return this.#parts.notes
  }

  initialTheta(): Parameters {
    return this.#initialTheta.slice()
  }

  buckets(): Promise<readonly Bucket[]> {
    this.#buckets ??= this.#encodeAll()
    // A failure is told each time, and tried again.
    this.#buckets.catch(() => (this.#buckets = undefined))
    return this.#buckets
  }

  async denoiser(bucket: number, caption: string, timestep: number): Promise<Denoiser> {
    const pipeline = await this.#pipelines.get(this.#parts.buckets[bucket]!.size)
    return pipeline.denoiser([{ prompt: caption, guidance: 1 }], [timestep])
  }

  async exportAdapter(theta: Parameters, path: string, files: FileSystem): Promise<void> {
    const { recipe: { date }, checkpoint: { family } } = this.#parts
    const dated = date === undefined ? {} : { date: new Date(date) }
    await writeAdapter(path, this.#plan.toAdapter(theta), { format: 'kohya', family, files, ...dated })
  }

  /** In the size that most pictures have, always from the same noise, so that pictures of different updates can be compared. */
  async sample(theta: Parameters, update: number, folder: string, files: FileSystem): Promise<string[]> {
    const { recipe: { samples, seed }, buckets } = this.#parts
    const { size, pictures } = buckets.reduce((a, b) => (b.pictures.length > a.pictures.length ? b : a))
    const prompts = samples.prompts ?? pictures.map(({ caption }) => caption)
    const pipeline = await this.#pipelines.get(size)
    const chain = samplingChain(pipeline.scheduler, { sampler: 'ddim', steps: samples.steps, eta: 0 })
    const random = new Random(seed)
    const paths: string[] = []
    for (let i = 0; i < samples.count; i++) {
      const denoiser = await pipeline.denoiser([{ prompt: prompts[i % prompts.length]!, guidance: samples.guidance }], chain.timesteps)
      const sampling = new Sampling(chain)
      let x = sampling.start(random.normal('sample', [i], pipeline.latentShape))
      for (const position of chain.timesteps.keys()) x = sampling.step(position, x, await denoiser.predict(position, x, theta))
      const png = await encodePng(await pipeline.decode(x))
      const path = join(folder, `${String(update).padStart(6, '0')}-${i}.png`)
      await replaceFile(path, (file) => writeAll(file, png), files)
      paths.push(path)
    }
    return paths
  }

  async peakMemory(): Promise<number | null> {
    const { device } = this.#parts.options
    return device === 'cpu' ? peakMemory() : ((await deviceMemory(device))?.usedBytes ?? null)
  }

  /** One size at a time, and blocks recomputed. */
  async needLess(): Promise<string | undefined> {
    const { recipe, buckets } = this.#parts
    const open = Math.min(recipe.dataset.openSizes, buckets.length)
    if (open === 1 && recipe.recomputation === 'blocks') return undefined
    await this.#pipelines.dispose()
    this.#pipelines = new FewOpen(1, (size) => this.#openPipeline(size))
    this.#recomputation = 'blocks'
    return open === 1 ? 'blocks recomputed' : 'blocks recomputed and the networks of one picture size at a time'
  }

  async dispose(): Promise<void> {
    await this.#pipelines.dispose()
    await this.#plan.dispose()
  }

  async #openPipeline(size: PictureSize): Promise<StableDiffusion> {
    const pipeline = await openPipeline(this.#parts, size, this.#recomputation)
    // All captions of the size at once, so that the text encoders are loaded once and are gone before the UNet comes.
    const bucket = this.#parts.buckets.find((candidate) => candidate.size === size)
    const captions = [...(bucket?.pictures ?? []), ...(bucket?.priors ?? [])].map(({ caption }) => caption)
    await pipeline.encodePrompts([null, ...new Set(['', ...captions, ...(this.#parts.recipe.samples.prompts ?? [])])])
    return pipeline
  }

  /** One encoder at a time, before there is any UNet. */
  async #encodeAll(): Promise<Bucket[]> {
    const { buckets, checkpoint, recipe: { precision, threads }, options } = this.#parts
    const cache = await LatentCache.open(options.cache, options.files ?? nodeFileSystem)
    const shared = { device: options.device, precision, differentiable: false, ...(threads === undefined ? {} : { threads }) }
    const openEncoder = (size: PictureSize) => new PictureCodec(checkpoint, { ...shared, ...latentSize(checkpoint, size) })
    const encoded: Bucket[] = []
    for (const { size, pictures, priors } of buckets) {
      const latents = await encodePictures({ size, pictures: [...pictures, ...priors] }, openEncoder, cache)
      const examples = [...pictures, ...priors].map(({ caption }, i): Example => ({ caption, latent: latents[i]! }))
      encoded.push({ pictures: examples.slice(0, pictures.length), priors: examples.slice(pictures.length) })
    }
    await cache.save()
    return encoded
  }
}

function openPipeline(
  { recipe, checkpoint, options: { device } }: DenoisingParts,
  size: PictureSize,
  recomputation: Recomputation = recipe.recomputation,
): Promise<StableDiffusion> {
  const { adapter, precision, threads } = recipe
  return StableDiffusion.open(checkpoint, {
    device,
    precision,
    recomputation,
    batch: 1,
    ...latentSize(checkpoint, size),
    trained: { rank: adapter.rank, alpha: adapter.alpha ?? adapter.rank, target: (path) => isTarget(adapter.targets, path) },
    ...(threads === undefined ? {} : { threads }),
  })
}

function memoryKeys({ dataset, recomputation }: DenoisingRecipe, size: PictureSize, openSizes: number): MemoryKey[] {
  return [
    { key: 'dataset.resolution', value: dataset.resolution ?? Math.round(Math.sqrt(size.width * size.height)) },
    ...(openSizes > 1 ? [{ key: 'dataset.openSizes', value: openSizes }] : []),
    ...recomputationKey(recomputation),
  ]
}

function latentSize(checkpoint: Checkpoint, { width, height }: PictureSize): Pick<PipelineOptions, 'latentWidth' | 'latentHeight'> {
  const pixels = pixelsPerLatent(checkpoint)
  return { latentWidth: width / pixels, latentHeight: height / pixels }
}
