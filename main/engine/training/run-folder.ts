/**
 * A run on disk: recipe.json, events.jsonl, checkpoints/, samples/ and at the end adapter.safetensors; latents.safetensors beside
 * them when pictures are learned from.
 */
import { join } from 'node:path'
import { isSystemError, replaceFile, unwritable, writeAll } from '../../../native-models/weights/replace-file.ts'
import { wordsForDiskFault } from '../disk-fault.ts'
import { HalfstepError } from '../errors.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { EventLog } from './event-log.ts'
import { nodeFileSystem, type FileSystem } from './file-system.ts'
import type { RunState } from './run-state.ts'

/** A checkpoint that could not be used, and why. */
export interface DamagedCheckpoint {
  readonly file: string
  readonly reason: string
}

const CHECKPOINT = /^(\d{6,})\.safetensors$/
/** What a kill leaves of a file that was being replaced. */
const LEFTOVER = /^\..+\.tmp$/

export class RunFolder {
  readonly path: string
  readonly files: FileSystem
  readonly events: EventLog

  constructor(path: string, files: FileSystem = nodeFileSystem) {
    this.path = path
    this.files = files
    this.events = new EventLog(join(path, 'events.jsonl'), files)
  }

  get recipeFile(): string {
    return join(this.path, 'recipe.json')
  }

  get adapterFile(): string {
    return join(this.path, 'adapter.safetensors')
  }

  /** Latents of a data set's pictures, which can be made again. */
  get latentsFile(): string {
    return join(this.path, 'latents.safetensors')
  }

  get samples(): string {
    return join(this.path, 'samples')
  }

  get #checkpoints(): string {
    return join(this.path, 'checkpoints')
  }

  checkpointFile(update: number): string {
    return join(this.#checkpoints, `${String(update).padStart(6, '0')}.safetensors`)
  }

  /** Makes the folder and writes the recipe into it. Throws `file.unwritable`. */
  async create(recipe: unknown): Promise<void> {
    await this.makeFolders()
    await replaceFile(
      this.recipeFile,
      (file) => writeAll(file, new TextEncoder().encode(`${JSON.stringify(recipe, null, 2)}\n`)),
      this.files,
    )
  }

  /** Makes the folder and those in it, where they are not there. Throws `file.unwritable`. */
  async makeFolders(): Promise<void> {
    for (const folder of [this.path, this.#checkpoints, this.samples]) {
      try {
        await this.files.makeFolder(folder)
      } catch (error) {
        throw isSystemError(error) ? unwritable(folder, error) : error
      }
    }
  }

  /** Writes a checkpoint, and once it is durable removes all but the last `keep` and the best. Throws `file.unwritable`. */
  async save(state: RunState, recipe: string, keep: number): Promise<string> {
    const file = this.checkpointFile(state.update)
    await writeCheckpoint(file, state, recipe, this.files)
    // What cannot be removed now stays for the next time: too many checkpoints harm nobody.
    await this.#prune(state, keep).catch(() => undefined)
    return file
  }

  /**
   * The newest checkpoint that proves sound, and those after it that do not; undefined where there is none yet.
   * Throws `run.damaged` when there are checkpoints and none of them is sound, and `file.unreadable`.
   */
  async load(recipe: string): Promise<{ readonly state: RunState | undefined; readonly damaged: readonly DamagedCheckpoint[] }> {
    const damaged: DamagedCheckpoint[] = []
    for (const update of (await this.#saved()).reverse()) {
      const file = this.checkpointFile(update)
      try {
        return { state: await readCheckpoint(file, recipe), damaged }
      } catch (error) {
        if (!(error instanceof HalfstepError)) throw error
        damaged.push({ file, reason: error.message })
      }
    }
    const [newest] = damaged
    if (newest === undefined) return { state: undefined, damaged }
    throw new HalfstepError(
      'run.damaged',
      `The run in ${this.path} cannot be continued, because none of its ${damaged.length} checkpoints is sound: ${newest.reason}`,
      'Restore the checkpoints from a backup, or start the recipe again in another folder.',
      { folder: this.path, files: damaged.map(({ file }) => file) },
    )
  }

  /** Updates that have a checkpoint, in order. */
  async #saved(): Promise<number[]> {
    const names = await this.#list()
    return names.flatMap((name) => CHECKPOINT.exec(name)?.slice(1, 2).map(Number) ?? []).sort((a, b) => a - b)
  }

  async #list(): Promise<string[]> {
    try {
      return await this.files.list(this.#checkpoints)
    } catch (error) {
      if (!isSystemError(error)) throw error
      if (error.code === 'ENOENT') return []
      const folder = this.#checkpoints
      throw new HalfstepError(
        'file.unreadable',
        `${folder} cannot be read: ${wordsForDiskFault(error)}.`,
        'Check the permissions of the folder and its disk.',
        { folder },
      )
    }
  }

  /** Removes old checkpoints, leftovers of kills, and whatever claims to be newer: those proved damaged when the run was loaded. */
  async #prune({ update, best }: RunState, keep: number): Promise<void> {
    const saved = await this.#saved()
    const past = saved.filter((candidate) => candidate <= update)
    const kept = new Set([...past.slice(-keep), best?.update])
    const old = saved.filter((candidate) => !kept.has(candidate)).map((candidate) => this.checkpointFile(candidate))
    const leftovers = (await this.#list()).filter((name) => LEFTOVER.test(name)).map((name) => join(this.#checkpoints, name))
    await Promise.allSettled([...old, ...leftovers].map((file) => this.files.remove(file)))
  }
}
