import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { DetectedBox } from '../../engine/protocol.ts'
import { readGeneration } from '../../store/generations.ts'
import { readPicture, type StoredPicture } from '../../store/pictures.ts'
import { RecipeJson } from '../../store/runs.ts'
import { readSetting, writeSetting } from '../../store/settings.ts'
import { unwritable } from '../content-files.ts'
import { libraryUrl } from '../library-files.ts'
import { required } from '../not-found.ts'
import { thumbnailFile } from '../pictures/picture-library.ts'
import type { Task } from '../tasks.ts'
import { drawBatch } from './draw-batch.ts'
import { drawingRequest, type DrawingWish } from './drawing.ts'
import type { DrawnBatch, StudioParts } from './studio.ts'

/** A picture to work on: one that was taken into the library, or one that the studio made. */
export type PictureSource = { readonly picture: string } | { readonly generation: string }

/** What a person asks to be drawn anew. The count is that of variants. */
export interface RepairWish extends DrawingWish {
  readonly source: PictureSource
  /** A PNG in base64: white is drawn anew. */
  readonly mask: string
  readonly prompt: string
  readonly strength: number
  /** In pixels of the picture. */
  readonly feather: number
  /** How far around the mask the model sees, in the mask's longer sides; null for the whole picture. */
  readonly context: number | null
}

/** A picture of the library as pages see it. */
export interface LibraryPicture {
  /** SHA-256 of its file. */
  readonly picture: string
  readonly url: string
  readonly thumbnail: string
  readonly width: number
  readonly height: number
}

/** Where the file of the last detector is remembered. */
const DETECTOR = 'studio.detector'

/** Draws parts of pictures anew, and finds what may need it. */
export class RepairService {
  readonly #parts: StudioParts

  constructor(parts: StudioParts) {
    this.#parts = parts
  }

  /** Takes a picture in. Throws `picture.malformed` and `file.unwritable`. @param name of the file, for messages */
  async takeBytes(bytes: Uint8Array, name: string): Promise<LibraryPicture> {
    return viewOf(await this.#parts.pictures.takeBytes(bytes, name))
  }

  /**
   * Draws variants and keeps each as soon as it is there; the source stays as it is. Throws as the engine does, and
   * `library.missing` for a picture, model or adapter that is gone.
   */
  async repair(asked: RepairWish, task: Task): Promise<DrawnBatch> {
    const { engine, models, pictures } = this.#parts
    const { file, sha256 } = this.#picture(asked.source)
    const { mask, ...wish } = { ...asked, seed: asked.seed ?? randomInt(2 ** 32), source: { picture: sha256 } }
    const { modelId, prompt, seed, strength, feather, context } = wish
    const recipe = RecipeJson.parse(JSON.parse(JSON.stringify({ ...wish, model: models.get(modelId).name })))
    const factsOf = (position: number) => ({ prompt, seed: seed + position, recipe, modelId, source: sha256 })
    const drawn = await drawBatch(this.#parts, task, factsOf, async (out, onProgress) => {
      const request = {
        ...(await drawingRequest(this.#parts, wish, out)),
        picture: pictures.path(file), mask: await maskFile(mask, out), prompt, strength, feather, ...(context === null ? {} : { context }),
      }
      return engine.run('studio', 'model.repair', request, { signal: task.signal, onProgress })
    })
    return { seed, ...drawn }
  }

  /** What a detector finds; one that worked is remembered. Throws as the engine does, and `library.missing`. */
  async detect(source: PictureSource, detector: string, confidence: number, task: Task): Promise<DetectedBox[]> {
    const { engine, pictures, database } = this.#parts
    const picture = pictures.path(this.#picture(source).file)
    const { boxes } = await engine.run('desk', 'picture.detect', { detector, picture, confidence }, { signal: task.signal })
    writeSetting(database, DETECTOR, detector)
    return boxes
  }

  /** The file of the detector that was used last; null before there was one. */
  lastDetector(): string | null {
    return readSetting(this.#parts.database, DETECTOR, z.string()) ?? null
  }

  #picture(source: PictureSource): StoredPicture {
    const { database } = this.#parts
    const sha256 = 'picture' in source ? source.picture : required(readGeneration(database, source.generation), 'picture').picture
    return required(readPicture(database, sha256), 'picture')
  }
}

async function maskFile(base64: string, folder: string): Promise<string> {
  const path = join(folder, 'mask.png')
  await writeFile(path, Buffer.from(base64, 'base64')).catch((error: unknown) => {
    throw unwritable(path, error)
  })
  return path
}

function viewOf({ sha256, file, width, height }: StoredPicture): LibraryPicture {
  return { picture: sha256, url: libraryUrl(file), thumbnail: libraryUrl(thumbnailFile(sha256)), width, height }
}
