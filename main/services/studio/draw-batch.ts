import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import type { LibraryDatabase } from '../../store/database.ts'
import { insertGeneration, readGeneration, type StoredGeneration } from '../../store/generations.ts'
import { unwritable } from '../content-files.ts'
import { required } from '../not-found.ts'
import type { PictureLibrary } from '../pictures/picture-library.ts'
import type { ServiceBus } from '../service-events.ts'
import type { Task } from '../tasks.ts'
import { viewOf, type GenerationView } from './generation-view.ts'

export interface BatchParts {
  readonly database: LibraryDatabase
  readonly bus: ServiceBus
  readonly pictures: PictureLibrary
}

/** What is known of a picture before it is there. */
export type PictureFacts = Pick<StoredGeneration, 'prompt' | 'seed' | 'recipe' | 'modelId' | 'source'>

/** Pictures that were asked for together. */
export interface Batch {
  readonly batch: string
  readonly generations: GenerationView[]
  /** What the person should know, one sentence each. */
  readonly notes: string[]
}

interface DrawingProgress {
  readonly picture: number
  readonly pictures: number
  readonly step: number
  readonly steps: number
  readonly path: string | null
}

type Draw = (out: string, onProgress: (progress: DrawingProgress) => void) => Promise<{ readonly notes: string[] }>

/**
 * Has pictures drawn into a folder of their own and keeps each as soon as it is there, so that what was made before a cancellation
 * stays. Throws what drawing throws, and `file.unwritable`.
 * @param factsOf of the picture at a position
 */
export async function drawBatch(parts: BatchParts, task: Task, factsOf: (position: number) => PictureFacts, draw: Draw): Promise<Batch> {
  const batch = randomUUID()
  // The same for all, so that pictures of one request stay together in the list.
  const createdAt = new Date().toISOString()
  const incoming = parts.pictures.path(`incoming/${batch}`)
  await mkdir(incoming, { recursive: true }).catch((error: unknown) => {
    throw unwritable(incoming, error)
  })
  const kept: Promise<GenerationView>[] = []
  const keep = (path: string, position: number): void => {
    const view = keepPicture(parts, path, { ...factsOf(position), batch, position, createdAt })
    // Whoever waits for all of them hears of a failure; until then it is nobody's.
    view.catch(() => undefined)
    kept.push(view)
  }
  try {
    const { notes } = await draw(incoming, ({ picture, pictures, step, steps, path }) => {
      task.progress(picture * steps + step, pictures * steps, `Picture ${picture + 1} of ${pictures}`)
      if (path !== null) keep(path, picture)
    })
    return { batch, generations: await Promise.all(kept), notes }
  } finally {
    await Promise.allSettled(kept)
    await rm(incoming, { recursive: true, force: true })
  }
}

async function keepPicture(
  { database, pictures, bus }: BatchParts, path: string, row: Omit<StoredGeneration, 'id' | 'picture'>,
): Promise<GenerationView> {
  const { sha256 } = await pictures.take(path)
  const id = randomUUID()
  insertGeneration(database, { ...row, id, picture: sha256 })
  const generation = viewOf(required(readGeneration(database, id), 'picture'))
  bus.emit('studio.picture', { generation })
  return generation
}
