import { randomUUID } from 'node:crypto'
import { HalfstepError } from '../../engine/errors.ts'
import { discard } from '../../store/bin.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readPromptSet, readPromptSets, writePromptSet, type PromptKind, type StoredPromptSet } from '../../store/prompt-sets.ts'
import { required } from '../not-found.ts'
import type { ServiceBus } from '../service-events.ts'
import { BUILT_IN_PROMPTS, type BuiltInPrompts } from './built-in-prompts.ts'

/** A set of prompts as pages see it. `key` is its id, or the name of a built-in one, which cannot be changed. */
export interface PromptSet extends BuiltInPrompts {
  readonly builtIn: boolean
  readonly updatedAt: string | null
}

/** What a person writes of a set. */
export interface PromptSetDraft {
  /** Of the set that is changed; a new one without. */
  readonly key?: string | undefined
  readonly name: string
  readonly kind: PromptKind
  readonly prompts: readonly string[]
  readonly negative: string
  readonly slots: Readonly<Record<string, readonly string[]>>
}

/** Sets of prompts for training, and held-out ones to see with what was learned. */
export class PromptService {
  readonly #database: LibraryDatabase
  readonly #bus: ServiceBus

  constructor(database: LibraryDatabase, bus: ServiceBus) {
    this.#database = database
    this.#bus = bus
  }

  /** The person's own by name, then those that come with Halfstep. */
  list(): PromptSet[] {
    return [...readPromptSets(this.#database).map(ownSet), ...BUILT_IN_PROMPTS.map(builtInSet)]
  }

  /** Throws `library.missing`. */
  get(key: string): PromptSet {
    const builtIn = BUILT_IN_PROMPTS.find((set) => set.key === key)
    return builtIn === undefined ? ownSet(required(readPromptSet(this.#database, key), 'set of prompts')) : builtInSet(builtIn)
  }

  /** Adds a set, or changes one. Throws `library.in-use` for a built-in one. */
  save({ key, name, kind, prompts, negative, slots }: PromptSetDraft): PromptSet {
    const known = key === undefined ? undefined : this.get(key)
    if (known?.builtIn === true) {
      throw new HalfstepError('library.in-use', `${known.name} comes with Halfstep and stays as it is.`, 'Save a copy under another name.')
    }
    const id = key ?? randomUUID()
    const now = new Date().toISOString()
    const plainSlots = Object.fromEntries(Object.entries(slots).map(([slot, values]) => [slot, [...values]]))
    writePromptSet(this.#database, { id, name, kind, prompts: [...prompts], negative, slots: plainSlots, createdAt: now, updatedAt: now })
    this.#changed()
    return this.get(id)
  }

  /** Into the bin. */
  remove(key: string): void {
    if (this.get(key).builtIn) throw new HalfstepError('library.in-use', 'This set comes with Halfstep and stays.', '')
    discard(this.#database, 'prompt_sets', key)
    this.#changed()
  }

  #changed(): void {
    this.#bus.emit('library.changed', { area: 'prompts' })
  }
}

function ownSet({ id, name, kind, prompts, negative, slots, updatedAt }: StoredPromptSet): PromptSet {
  return { key: id, name, kind, prompts, negative, slots, updatedAt, builtIn: false }
}

function builtInSet(set: BuiltInPrompts): PromptSet {
  return { ...set, builtIn: true, updatedAt: null }
}
