import { randomUUID } from 'node:crypto'
import { mkdir, rm, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import type { AdapterFormat, Precision } from '../../engine/protocol.ts'
import {
  insertAdapter, readAdapter, readAdapterOf, readAdapters, updateAdapter, type AdapterChange, type AdapterOrigin, type StoredAdapter,
} from '../../store/adapters.ts'
import { discard } from '../../store/bin.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readCover } from '../../store/run-pictures.ts'
import type { StoredRun } from '../../store/runs.ts'
import { keepCopy, sha256OfFile, unwritable } from '../content-files.ts'
import type { Engine } from '../engine.ts'
import { libraryUrl } from '../library-files.ts'
import { required } from '../not-found.ts'
import type { PictureLibrary } from '../pictures/picture-library.ts'
import type { ServiceBus } from '../service-events.ts'
import type { Task } from '../tasks.ts'
import { adapterView, type AdapterView } from './adapter-view.ts'

export interface AdapterParts {
  readonly database: LibraryDatabase
  readonly engine: Engine
  readonly bus: ServiceBus
  readonly pictures: PictureLibrary
}

/** Where an adapter was written. */
export interface WrittenAdapter {
  readonly path: string
  /** When it lies in the library: its address. */
  readonly url: string | null
}

/** The person's LoRAs: those that runs made, that were imported, and that were merged from others. */
export class AdapterService {
  readonly #parts: AdapterParts

  constructor(parts: AdapterParts) {
    this.#parts = parts
  }

  /** Youngest first. */
  list(): AdapterView[] {
    return readAdapters(this.#parts.database).map(adapterView)
  }

  get(id: string): AdapterView {
    return adapterView(this.#adapter(id))
  }

  /** The adapter's file. Throws `library.missing`. */
  fileOf(id: string): string {
    return this.#parts.pictures.path(this.#adapter(id).file)
  }

  /**
   * Keeps a copy of an adapter file in either format; one that is known already stays as it is. Throws as reading it does.
   * @param name that of the file by default
   */
  async import(path: string, task: Task, name = nameOf(path)): Promise<AdapterView> {
    task.progress(0, null, basename(path))
    return adapterView(await this.#take(resolve(path), { name, origin: 'import', runId: null, preview: null }, task))
  }

  /** Takes in what a run made, with its latest picture. */
  async takeFromRun(run: StoredRun, file: string): Promise<void> {
    const cover = readCover(this.#parts.database, run.id)
    // A picture is a courtesy: the adapter is what counts.
    const taken = cover === undefined ? undefined : await this.#parts.pictures.take(this.#parts.pictures.path(cover)).catch(() => undefined)
    await this.#take(file, { name: run.name, origin: 'run', runId: run.id, preview: taken?.sha256 ?? null })
  }

  /** Changes what is given and leaves the rest. */
  change(id: string, change: AdapterChange): AdapterView {
    this.#adapter(id)
    updateAdapter(this.#parts.database, id, change)
    return this.#changed(id)
  }

  /** Adds up adapters, each times its strength, as a new one. @param rank to reduce it to; exact without. */
  async merge(
    { parts, name, rank, format }: {
      readonly parts: readonly { readonly id: string; readonly strength: number }[]
      readonly name: string
      readonly rank?: number | undefined
      readonly format?: AdapterFormat | undefined
    },
    task: Task,
  ): Promise<{ readonly adapter: AdapterView; readonly keptEnergy: number }> {
    const out = await this.#newFile()
    try {
      const request = {
        parts: parts.map(({ id, strength }) => ({ path: this.fileOf(id), strength })),
        out,
        ...(rank === undefined ? {} : { rank }),
        ...(format === undefined ? {} : { format }),
      }
      const { keptEnergy } = await this.#parts.engine.run('desk', 'adapter.merge', request, { signal: task.signal })
      const { preview } = this.#adapter(parts[0]?.id ?? '')
      return { adapter: adapterView(await this.#take(out, { name, origin: 'merge', runId: null, preview }, task)), keptEnergy }
    } finally {
      await rm(out, { force: true })
    }
  }

  /**
   * Writes an adapter for another program: kohya's keys for ComfyUI and A1111, peft's for diffusers.
   * @param path a .safetensors file; one in the library's folder `exports` unless given
   */
  async export(
    id: string,
    { format, dtype, path }: { readonly format: AdapterFormat; readonly dtype?: Precision | undefined; readonly path?: string | undefined },
    task: Task,
  ): Promise<WrittenAdapter> {
    const adapter = this.#adapter(id)
    const file = `exports/${plainName(adapter.name)}-${format}.safetensors`
    const out = path === undefined ? this.#parts.pictures.path(file) : resolve(path)
    if (extname(out).toLowerCase() !== '.safetensors') {
      throw new HalfstepError('usage', `${out} is no name for an adapter.`, 'End it with .safetensors.', { file: out })
    }
    if (path === undefined) await makeFolder(this.#parts.pictures.path('exports'))
    const request = { path: this.fileOf(id), out, format, ...(dtype === undefined ? {} : { dtype }) }
    await this.#parts.engine.run('desk', 'adapter.convert', request, { signal: task.signal })
    return { path: out, url: path === undefined ? libraryUrl(file) : null }
  }

  /** Into the bin. */
  remove(id: string): void {
    this.#adapter(id)
    discard(this.#parts.database, 'adapters', id)
    this.#parts.bus.emit('library.changed', { area: 'adapters' })
  }

  async #take(
    path: string,
    { name, origin, runId, preview }: { name: string; origin: AdapterOrigin; runId: string | null; preview: string | null },
    task?: Task,
  ): Promise<StoredAdapter> {
    const { database, engine, pictures } = this.#parts
    const summary = await engine.run('desk', 'adapter.inspect', { path }, task === undefined ? {} : { signal: task.signal })
    const sha256 = await sha256OfFile(path)
    const known = readAdapterOf(database, sha256)
    if (known !== undefined) return known
    const file = `adapters/${sha256}.safetensors`
    await keepCopy(pictures.path(file), path)
    const { size: bytes } = await stat(pictures.path(file))
    const id = randomUUID()
    insertAdapter(database, {
      id, name, sha256, file, bytes, summary, origin, runId, preview,
      triggerWords: '', notes: '', strength: 1, addedAt: new Date().toISOString(),
    })
    this.#changed(id)
    return this.#adapter(id)
  }

  async #newFile(): Promise<string> {
    const folder = this.#parts.pictures.path('incoming')
    await makeFolder(folder)
    return join(folder, `${randomUUID()}.safetensors`)
  }

  #adapter(id: string): StoredAdapter {
    return required(readAdapter(this.#parts.database, id), 'adapter')
  }

  #changed(id: string): AdapterView {
    this.#parts.bus.emit('library.changed', { area: 'adapters' })
    return this.get(id)
  }
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw unwritable(path, error)
  })
}

function nameOf(path: string): string {
  return basename(path, extname(path)) || 'Adapter'
}

/** A name as every file system and address takes it. */
function plainName(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '').slice(0, 60)
  return plain === '' ? 'adapter' : plain
}
