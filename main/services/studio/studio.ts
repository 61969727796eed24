import { randomInt, randomUUID } from 'node:crypto'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import type { EngineJobs, GeneratedPicture, Precision, SamplerName } from '../../engine/protocol.ts'
import { discard } from '../../store/bin.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { insertGeneration, readGeneration, readGenerations, type GenerationWithPicture } from '../../store/generations.ts'
import { RecipeJson } from '../../store/runs.ts'
import type { AdapterService } from '../adapters/adapters.ts'
import { unwritable } from '../content-files.ts'
import type { DeviceService } from '../devices.ts'
import type { Engine } from '../engine.ts'
import { libraryUrl } from '../library-files.ts'
import type { ModelService } from '../models.ts'
import { required } from '../not-found.ts'
import { thumbnailFile, type PictureLibrary } from '../pictures/picture-library.ts'
import type { ServiceBus } from '../service-events.ts'
import type { Task } from '../tasks.ts'

/** What a person asks the studio for. */
export interface GenerationWish {
  readonly modelId: string
  readonly prompts: readonly string[]
  readonly negative?: string | undefined
  readonly adapters: readonly { readonly id: string; readonly strength: number }[]
  /** A template by value, or the name of one that comes with Halfstep. */
  readonly template?: { readonly use: string | RecipeJson; readonly slots: Readonly<Record<string, string>> } | undefined
  /** Of each prompt's first picture; a random one unless given. */
  readonly seed?: number | undefined
  /** Pictures per prompt. */
  readonly count: number
  readonly sampler: SamplerName
  readonly steps: number
  readonly guidance: number
  readonly eta?: number | undefined
  readonly size?: { readonly width: number; readonly height: number } | undefined
  readonly precision?: Precision | undefined
}

/** A picture of the studio as pages see it. */
export interface GenerationView extends Omit<GenerationWithPicture, 'file' | 'picture'> {
  readonly url: string
  readonly thumbnail: string
}

/** What came of a wish. */
export interface GenerationResult {
  /** Pictures that belong together. */
  readonly batch: string
  readonly seed: number
  readonly generations: GenerationView[]
  /** What the person should know, one sentence each. */
  readonly notes: string[]
}

export interface StudioParts {
  readonly database: LibraryDatabase
  readonly engine: Engine
  readonly bus: ServiceBus
  readonly devices: DeviceService
  readonly models: ModelService
  readonly adapters: AdapterService
  readonly pictures: PictureLibrary
}

/** Makes pictures and keeps them with everything they were made from. */
export class StudioService {
  readonly #parts: StudioParts

  constructor(parts: StudioParts) {
    this.#parts = parts
  }

  /** A page of what was made, youngest first. */
  list(offset: number, limit: number): { readonly total: number; readonly generations: GenerationView[] } {
    const { total, generations } = readGenerations(this.#parts.database, offset, limit)
    return { total, generations: generations.map(viewOf) }
  }

  get(id: string): GenerationView {
    return viewOf(this.#generation(id))
  }

  /** Where a picture lies and what it was to show. */
  promptedFile(id: string): { readonly path: string; readonly prompt: string } {
    const { file, prompt } = this.#generation(id)
    return { path: this.#parts.pictures.path(file), prompt }
  }

  /**
   * Makes the pictures of a wish and keeps each as soon as it is there, so that what was made before a cancellation stays.
   * Throws as the engine does, and `library.missing` for a model or adapter that is gone.
   */
  async generate(wish: GenerationWish, task: Task): Promise<GenerationResult> {
    const batch = randomUUID()
    // The same for all, so that pictures of one request stay together in the list.
    const createdAt = new Date().toISOString()
    const seed = wish.seed ?? randomInt(2 ** 32)
    const incoming = this.#parts.pictures.path(`incoming/${batch}`)
    await mkdir(incoming, { recursive: true }).catch((error: unknown) => {
      throw unwritable(incoming, error)
    })
    const kept: Promise<GenerationView>[] = []
    const keep = (picture: GeneratedPicture, position: number): void => {
      const view = this.#keep(picture, { wish: { ...wish, seed }, batch, position, createdAt })
      // Whoever waits for all of them hears of a failure; until then it is nobody's.
      view.catch(() => undefined)
      kept.push(view)
    }
    try {
      const request = await this.#request({ ...wish, seed }, incoming)
      const { notes } = await this.#parts.engine.run('studio', 'model.generate', request, {
        signal: task.signal,
        onProgress: ({ picture, pictures, step, steps, path }) => {
          task.progress(picture * steps + step, pictures * steps, `Picture ${picture + 1} of ${pictures}`)
          if (path === null) return
          const prompt = wish.prompts[Math.floor(picture / wish.count)] ?? ''
          keep({ path, prompt, seed: seed + (picture % wish.count) }, picture)
        },
      })
      return { batch, seed, generations: await Promise.all(kept), notes }
    } finally {
      await Promise.allSettled(kept)
      await rm(incoming, { recursive: true, force: true })
    }
  }

  /** Writes a picture, with its recipe inside, where the person wants it. Throws `file.unwritable`, and `usage` for another ending. */
  async save(id: string, path: string): Promise<void> {
    const { file } = this.#generation(id)
    const target = resolve(path)
    const wanted = extname(file)
    if (extname(target).toLowerCase() !== wanted) {
      throw new HalfstepError('usage', `${target} does not end with ${wanted}, which the picture is.`, `End its name with ${wanted}.`)
    }
    await copyFile(this.#parts.pictures.path(file), target).catch((error: unknown) => {
      throw unwritable(target, error)
    })
  }

  /** Into the bin. */
  remove(id: string): void {
    this.#generation(id)
    discard(this.#parts.database, 'generations', id)
    this.#parts.bus.emit('library.changed', { area: 'generations' })
  }

  async #request(wish: GenerationWish & { readonly seed: number }, out: string): Promise<EngineJobs['model.generate']['request']> {
    const { models, adapters, devices } = this.#parts
    const { prompts, negative, template, seed, count, sampler, steps, guidance, eta, size } = wish
    const { device, float16 } = await devices.ready()
    return {
      model: models.get(wish.modelId).path,
      prompts: [...prompts],
      adapters: wish.adapters.map(({ id, strength }) => ({ path: adapters.fileOf(id), strength })),
      seed, count, sampler, steps, guidance, device, out,
      precision: wish.precision ?? (float16 ? 'float16' : 'float32'),
      ...(negative === undefined ? {} : { negative }),
      ...(template === undefined ? {} : { template: { source: await templateFile(template.use, out), slots: { ...template.slots } } }),
      ...(eta === undefined ? {} : { eta }),
      ...(size === undefined ? {} : { size: { ...size } }),
    }
  }

  async #keep(
    { path, prompt, seed }: GeneratedPicture,
    { wish, batch, position, createdAt }: Pick<GenerationView, 'batch' | 'position' | 'createdAt'> & { readonly wish: GenerationWish },
  ): Promise<GenerationView> {
    const { database, pictures, bus, models } = this.#parts
    const { sha256 } = await pictures.take(path)
    const recipe = RecipeJson.parse(JSON.parse(JSON.stringify({ ...wish, model: models.get(wish.modelId).name, prompts: [prompt] })))
    const id = randomUUID()
    insertGeneration(database, { id, picture: sha256, batch, position, prompt, seed, recipe, modelId: wish.modelId, createdAt })
    const view = this.get(id)
    bus.emit('studio.picture', { generation: view })
    return view
  }

  #generation(id: string): GenerationWithPicture {
    return required(readGeneration(this.#parts.database, id), 'picture')
  }
}

/** The engine takes templates by name or as files. */
async function templateFile(use: string | RecipeJson, folder: string): Promise<string> {
  if (typeof use === 'string') return use
  const path = join(folder, 'template.json')
  await writeFile(path, JSON.stringify(use)).catch((error: unknown) => {
    throw unwritable(path, error)
  })
  return path
}

function viewOf({ file, picture, ...generation }: GenerationWithPicture): GenerationView {
  return { ...generation, url: libraryUrl(file), thumbnail: libraryUrl(thumbnailFile(picture)) }
}
