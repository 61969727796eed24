import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname, extname, resolve } from 'node:path'
import { HalfstepError } from '../engine/errors.ts'
import type { ModelSummary } from '../engine/protocol.ts'
import { discard } from '../store/bin.ts'
import type { LibraryDatabase } from '../store/database.ts'
import { insertModel, readModel, readModelAt, readModels, updateModel, type StoredModel } from '../store/models.ts'
import type { Engine } from './engine.ts'
import { required } from './not-found.ts'
import type { ServiceBus } from './service-events.ts'
import type { Task } from './tasks.ts'

/** A model as pages see it. */
export interface Model extends StoredModel {
  /** Numbers that can be trained, in all components. */
  readonly parameters: number
  /** On disk. */
  readonly bytes: number
}

/** The person's checkpoints: referenced where they lie, looked into by the engine, never copied or changed. */
export class ModelService {
  readonly #database: LibraryDatabase
  readonly #engine: Engine
  readonly #bus: ServiceBus

  constructor(database: LibraryDatabase, engine: Engine, bus: ServiceBus) {
    this.#database = database
    this.#engine = engine
    this.#bus = bus
  }

  /** Every model, after looking whether each is still where it was. */
  list(): Model[] {
    return readModels(this.#database).map((model) => this.#looked(model))
  }

  /** Throws `library.missing`. */
  get(id: string): Model {
    return this.#looked(required(readModel(this.#database, id), 'model'))
  }

  /**
   * Adds the checkpoint at a path after reading all of it; one that is known already is looked into again.
   * Throws what reading it throws, and `weights.missing-tensor` with the first fault of a model that cannot work.
   */
  async add(path: string, task: Task, { builtIn = false, name = nameOf(path) } = {}): Promise<Model> {
    const summary = await this.#inspect(modelPath(path), task)
    const known = readModelAt(this.#database, summary.path)
    const id = known?.id ?? randomUUID()
    if (known !== undefined) updateModel(this.#database, id, { summary, missing: false })
    else insertModel(this.#database, { id, name, path: summary.path, summary, missing: false, builtIn, addedAt: new Date().toISOString() })
    return this.#changed(id)
  }

  rename(id: string, name: string): Model {
    this.get(id)
    updateModel(this.#database, id, { name })
    return this.#changed(id)
  }

  /** Tells where a model lies now. Throws `library.in-use` when another one is known there, and `add`'s when what lies there is none. */
  async relocate(id: string, path: string, task: Task): Promise<Model> {
    const model = this.get(id)
    const summary = await this.#inspect(modelPath(path), task)
    const other = readModelAt(this.#database, summary.path)
    if (other !== undefined && other.id !== id) {
      throw new HalfstepError('library.in-use', `${summary.path} is in the library already, as ${other.name}.`, 'Remove one of the two.')
    }
    if (summary.family !== model.summary.family) {
      const message = `${summary.path} is of another family (${summary.family}) than ${model.name} was (${model.summary.family}).`
      throw new HalfstepError('config.unsupported', message, 'Choose the file that was moved, or add this one as a new model.')
    }
    updateModel(this.#database, id, { path: summary.path, summary, missing: false })
    return this.#changed(id)
  }

  /** Puts a model into the bin; its files are left alone. */
  remove(id: string): void {
    this.get(id)
    discard(this.#database, 'models', id)
    this.#bus.emit('library.changed', { area: 'models' })
  }

  async #inspect(path: string, task: Task): Promise<ModelSummary> {
    let read = 0
    task.progress(0, null, basename(path))
    const summary = await this.#engine.run('desk', 'model.inspect', { path }, {
      signal: task.signal,
      onProgress: ({ name, bytes }) => task.progress((read += bytes), null, name),
    })
    const [fault] = summary.faults
    if (fault === undefined) return summary
    const nextStep = 'Download or export the model again: this copy is incomplete or damaged.'
    throw new HalfstepError('weights.missing-tensor', `${path} cannot be used: ${fault}`, nextStep, { file: path, faults: summary.faults })
  }

  /** Keeps the mark of models whose files are gone up to date. */
  #looked(model: StoredModel): Model {
    const missing = !existsSync(model.path)
    if (missing !== model.missing) updateModel(this.#database, model.id, { missing })
    const { components } = model.summary
    return { ...model, missing, parameters: sum(components.map((one) => one.parameters)), bytes: sum(components.map((one) => one.bytes)) }
  }

  #changed(id: string): Model {
    this.#bus.emit('library.changed', { area: 'models' })
    return this.get(id)
  }
}

/** People may hand over the file that marks a diffusers folder, and mean the folder. */
function modelPath(path: string): string {
  const absolute = resolve(path)
  return basename(absolute) === 'model_index.json' ? dirname(absolute) : absolute
}

function nameOf(path: string): string {
  const own = modelPath(path)
  return basename(own, extname(own) === '.safetensors' ? '.safetensors' : '') || own
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
