/** Latents of pictures that were encoded before: a file that may be lost without harm. */
import { createHash } from 'node:crypto'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import type { ReplacingFileSystem } from '../../../native-models/weights/replace-file.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { HalfstepError } from '../errors.ts'
import { isDType, toBytes, type FloatTensor } from '../tensor/tensor.ts'
import type { PictureSize } from '../pictures/picture-file.ts'

const CHECKSUM = 'halfstep.checksum'

export class LatentCache {
  readonly #path: string
  readonly #files: ReplacingFileSystem
  readonly #latents: Map<string, FloatTensor>
  #grown = false

  private constructor(path: string, files: ReplacingFileSystem, latents: Map<string, FloatTensor>) {
    this.#path = path
    this.#files = files
    this.#latents = latents
  }

  /** What the file holds; nothing when it is not there, or not as it was written. Only for the model that it was made with. */
  static async open(path: string, files: ReplacingFileSystem): Promise<LatentCache> {
    return new LatentCache(path, files, await read(path).catch(orNothing))
  }

  /** @param fingerprint of the picture's file @param size that it was cut to */
  get(fingerprint: string, size: PictureSize): FloatTensor | undefined {
    return this.#latents.get(keyOf(fingerprint, size))
  }

  set(fingerprint: string, size: PictureSize, latent: FloatTensor): void {
    this.#latents.set(keyOf(fingerprint, size), latent)
    this.#grown = true
  }

  /** Writes the file when there is something new. A disk that refuses costs the next start some time, and nothing else. */
  async save(): Promise<void> {
    if (!this.#grown) return
    const checksum = checksumOf(this.#latents)
    await writeSafetensors(this.#path, this.#latents, { [CHECKSUM]: checksum }, this.#files).catch(orNothing)
    this.#grown = false
  }
}

async function read(path: string): Promise<Map<string, FloatTensor>> {
  const file = await openSafetensors(path)
  const latents = new Map<string, FloatTensor>()
  for (const name of file.names()) {
    const entry = file.find(name)
    const tensor = entry && (await readWeight(entry))
    if (tensor !== undefined && isDType(tensor, 'float32')) latents.set(name, tensor)
  }
  return file.metadata.get(CHECKSUM) === checksumOf(latents) ? latents : new Map()
}

/** For files that are foreseen not to be there, to be damaged or not to be writable. */
function orNothing(error: unknown): Map<string, FloatTensor> {
  if (error instanceof HalfstepError) return new Map()
  throw error
}

function checksumOf(latents: ReadonlyMap<string, FloatTensor>): string {
  const hash = createHash('sha256')
  for (const [name, { shape, data }] of [...latents].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, shape])).update(toBytes({ dtype: 'float32', shape, data }))
  }
  return hash.digest('hex')
}

function keyOf(fingerprint: string, { width, height }: PictureSize): string {
  return `${fingerprint}.${width}x${height}`
}
