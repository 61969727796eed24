import type { Bridge } from '../../main/ipc/bridge.ts'
import type { CallResult } from '../../main/ipc/contract.ts'
import type { Drop } from '../components/drop-zone/read-drop.ts'
import type { Intake } from './intake.ts'
import type { Problem } from './problem.ts'
import { newTaskName } from './tasks.svelte.ts'

/** What is worth sending: pictures and the captions beside them. */
const WANTED = /\.(png|jpe?g|webp|txt)$/i

/** Pictures on their way into a dataset, and what came of it. */
export class PictureImport {
  readonly #bridge: Bridge
  readonly #intake: Intake
  #task = $state<string>()
  #sent = $state<number>()
  #result = $state.raw<CallResult<'datasets.import'>>()
  #problem = $state.raw<Problem>()
  #abort: AbortController | undefined

  constructor(bridge: Bridge, intake: Intake) {
    this.#bridge = bridge
    this.#intake = intake
  }

  /** Of the import that goes on, for its progress; undefined while there is none. */
  get task(): string | undefined {
    return this.#task
  }

  /** Share of the files that the host has, 0 to 1; undefined when nothing is being sent. */
  get sent(): number | undefined {
    return this.#sent
  }

  get result(): CallResult<'datasets.import'> | undefined {
    return this.#result
  }

  get problem(): Problem | undefined {
    return this.#problem
  }

  /** Forgets what came of the last one. */
  clear(): void {
    this.#result = undefined
    this.#problem = undefined
  }

  /** Takes pictures into a dataset. @returns whether all of them could be used */
  async take(dataset: string, drop: Drop): Promise<boolean> {
    if (this.#task !== undefined) return false
    const task = newTaskName()
    const { wanted, skipped } = sift(drop)
    this.clear()
    this.#task = task
    this.#abort = new AbortController()
    const reply = await this.#intake.bring(
      wanted,
      (paths) => {
        this.#sent = undefined
        return this.#import(dataset, paths, task)
      },
      { signal: this.#abort.signal, onProgress: (done, total) => (this.#sent = total === 0 ? 1 : done / total) },
    )
    this.#task = undefined
    this.#sent = undefined
    if (reply.ok) this.#result = { ...reply.value, skipped: [...skipped, ...reply.value.skipped] }
    else if (reply.error.code !== 'cancelled') this.#problem = reply.error
    return reply.ok && this.#result?.skipped.length === 0
  }

  stop(): void {
    this.#abort?.abort()
    if (this.#task !== undefined) void this.#bridge.call('tasks.cancel', { task: this.#task })
  }

  async #import(id: string, paths: readonly string[], task: string) {
    if (paths.length === 0) return { ok: true as const, value: { added: 0, known: 0, captions: 0, skipped: [] } }
    return this.#bridge.call('datasets.import', { id, paths: [...paths], task })
  }
}

/** Names what need not be sent. */
function sift(drop: Drop): { readonly wanted: Drop; readonly skipped: { name: string; reason: string }[] } {
  if ('paths' in drop) return { wanted: drop, skipped: [] }
  const wanted = drop.files.filter(({ name }) => WANTED.test(name))
  const others = drop.files.filter(({ name }) => !WANTED.test(name))
  return {
    wanted: { files: wanted },
    skipped: others.map(({ name }) => ({ name, reason: `${name} is neither a PNG, nor a JPEG, nor a WebP picture.` })),
  }
}
