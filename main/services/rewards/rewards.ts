import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import { discard } from '../../store/bin.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readReward, readRewards, writeReward, type StoredReward } from '../../store/rewards.ts'
import { RecipeJson } from '../../store/runs.ts'
import type { DeviceService } from '../devices.ts'
import type { Engine } from '../engine.ts'
import { required } from '../not-found.ts'
import type { ServiceBus } from '../service-events.ts'
import type { Task } from '../tasks.ts'
import { builtInRewards } from './built-in-rewards.ts'
import { keptSpec, usableSpec } from './taste-files.ts'

/** A reward as a person writes it. */
export interface RewardDraft {
  /** Of the reward that is changed; a new one without. */
  readonly id?: string | undefined
  readonly name: string
  readonly spec: RecipeJson
  readonly notes: string
}

/** A reward as pages see it. */
export interface Reward extends StoredReward {
  /** Comes with Halfstep and cannot be changed. */
  readonly builtIn: boolean
}

/** What a reward said of a picture. */
export interface RewardReading {
  readonly value: number
  readonly parts: Record<string, number>
}

/** What the service is put over. */
export interface RewardParts {
  readonly database: LibraryDatabase
  readonly engine: Engine
  readonly devices: DeviceService
  readonly bus: ServiceBus
  readonly libraryFolder: string
  /** Folder of the model that comes with the program, with its judge; it may be missing. */
  readonly starter: string
}

/** What pictures are judged by: rewards that the person set up, mixed from models and measures. */
export class RewardService {
  readonly #database: LibraryDatabase
  readonly #engine: Engine
  readonly #devices: DeviceService
  readonly #bus: ServiceBus
  readonly #libraryFolder: string
  readonly #starter: string

  constructor({ database, engine, devices, bus, libraryFolder, starter }: RewardParts) {
    this.#database = database
    this.#engine = engine
    this.#devices = devices
    this.#bus = bus
    this.#libraryFolder = libraryFolder
    this.#starter = starter
  }

  /** The person's own by name, then what comes with Halfstep. */
  list(): Reward[] {
    return [...readRewards(this.#database).map((reward) => this.#view(reward)), ...builtInRewards(this.#starter)]
  }

  /** Throws `library.missing`. */
  get(id: string): Reward {
    const builtIn = builtInRewards(this.#starter).find((reward) => reward.id === id)
    return builtIn ?? this.#view(required(readReward(this.#database, id), 'reward'))
  }

  /** The reward with every default filled in. Throws `recipe.malformed`, naming the key. */
  async check(spec: unknown): Promise<RecipeJson> {
    const { reward } = await this.#engine.run('desk', 'reward.check', { reward: spec })
    return RecipeJson.parse(JSON.parse(JSON.stringify(reward)))
  }

  /** Adds a reward, or changes one, after checking what it says; its files are looked into by `test` and by training. */
  async save({ id: given, name, spec, notes }: RewardDraft): Promise<Reward> {
    if (given !== undefined) this.#own(given)
    const checked = keptSpec(await this.check(spec), this.#libraryFolder)
    const id = given ?? randomUUID()
    const now = new Date().toISOString()
    writeReward(this.#database, { id, name, spec: checked, notes, createdAt: now, updatedAt: now })
    this.#changed()
    return this.get(id)
  }

  /** What a reward says of pictures, in their order. Throws as opening its models does. @param pictures absolute paths */
  async test(spec: unknown, pictures: readonly { readonly path: string; readonly prompt: string }[], task: Task): Promise<RewardReading[]> {
    const { device } = await this.#devices.ready()
    // The same precision for everyone, so that figures can be compared.
    const request = { reward: spec, pictures: pictures.map((picture) => ({ ...picture })), device, precision: 'float32' as const }
    return this.#engine.run('studio', 'reward.test', request, {
      signal: task.signal,
      onProgress: ({ done }) => task.progress(done, pictures.length, basename(pictures[done]?.path ?? '')),
    })
  }

  /** Into the bin. */
  remove(id: string): void {
    this.#own(id)
    discard(this.#database, 'rewards', id)
    this.#changed()
  }

  /** Throws `library.in-use` for what comes with Halfstep. */
  #own(id: string): void {
    const { builtIn, name } = this.get(id)
    if (!builtIn) return
    throw new HalfstepError('library.in-use', `${name} comes with Halfstep and stays as it is.`, 'Save a copy under another name.')
  }

  #view(reward: StoredReward): Reward {
    return { ...reward, spec: usableSpec(reward.spec, this.#libraryFolder), builtIn: false }
  }

  #changed(): void {
    this.#bus.emit('library.changed', { area: 'rewards' })
  }
}
