import { randomInt } from 'node:crypto'
import { discard } from '../../store/bin.ts'
import { readGeneration, readGenerations, type GenerationWithPicture } from '../../store/generations.ts'
import { RecipeJson } from '../../store/runs.ts'
import type { Engine } from '../engine.ts'
import { required } from '../not-found.ts'
import type { Task } from '../tasks.ts'
import { drawBatch, type Batch, type BatchParts } from './draw-batch.ts'
import { drawingRequest, type DrawingParts, type DrawingWish } from './drawing.ts'
import { viewOf, type GenerationView } from './generation-view.ts'

/** What a person asks the studio for. The seed is that of each prompt's first picture. */
export interface GenerationWish extends DrawingWish {
  readonly prompts: readonly string[]
  readonly size?: { readonly width: number; readonly height: number } | undefined
}

/** What came of a wish. */
export interface DrawnBatch extends Batch {
  readonly seed: number
}

export interface StudioParts extends BatchParts, DrawingParts {
  readonly engine: Engine
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

  /** Where a picture lies and what it was to show. */
  promptedFile(id: string): { readonly path: string; readonly prompt: string } {
    const { file, prompt } = this.#generation(id)
    return { path: this.#parts.pictures.path(file), prompt }
  }

  /** Makes the pictures of a wish. Throws as the engine does, and `library.missing` for a model or adapter that is gone. */
  async generate(asked: GenerationWish, task: Task): Promise<DrawnBatch> {
    const { engine, models } = this.#parts
    const wish = { ...asked, seed: asked.seed ?? randomInt(2 ** 32) }
    const { modelId, prompts, count, seed, size } = wish
    const factsOf = (position: number) => {
      const prompt = prompts[Math.floor(position / count)] ?? ''
      const recipe = RecipeJson.parse(JSON.parse(JSON.stringify({ ...wish, model: models.get(modelId).name, prompts: [prompt] })))
      return { prompt, seed: seed + (position % count), recipe, modelId, source: null }
    }
    const drawn = await drawBatch(this.#parts, task, factsOf, async (out, onProgress) => {
      const shared = await drawingRequest(this.#parts, wish, out)
      const request = { ...shared, prompts: [...prompts], ...(size === undefined ? {} : { size: { ...size } }) }
      return engine.run('studio', 'model.generate', request, { signal: task.signal, onProgress })
    })
    return { seed, ...drawn }
  }

  /** Into the bin. */
  remove(id: string): void {
    this.#generation(id)
    discard(this.#parts.database, 'generations', id)
    this.#parts.bus.emit('library.changed', { area: 'generations' })
  }

  #generation(id: string): GenerationWithPicture {
    return required(readGeneration(this.#parts.database, id), 'picture')
  }
}
