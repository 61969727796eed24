import { randomUUID } from 'node:crypto'
import { HalfstepError } from '../../engine/errors.ts'
import { discard } from '../../store/bin.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { RecipeJson } from '../../store/runs.ts'
import { readTemplate, readTemplates, writeTemplate, type StoredTemplate } from '../../store/templates.ts'
import type { Engine } from '../engine.ts'
import { required } from '../not-found.ts'
import { parseJsonObject } from '../parse-json.ts'
import type { ServiceBus } from '../service-events.ts'

/** A template as pages see it. `key` is its id, or the name of a built-in one, which cannot be changed. */
export interface TemplateEntry {
  readonly key: string
  readonly name: string
  readonly builtIn: boolean
  readonly template: RecipeJson
  readonly updatedAt: string | null
}

/** Prompts in stages along the chain from noise to picture: those that come with Halfstep, and the person's own. */
export class TemplateService {
  readonly #database: LibraryDatabase
  readonly #engine: Engine
  readonly #bus: ServiceBus
  #builtIn: Promise<TemplateEntry[]> | undefined

  constructor(database: LibraryDatabase, engine: Engine, bus: ServiceBus) {
    this.#database = database
    this.#engine = engine
    this.#bus = bus
  }

  /** The person's own by name, then those that come with Halfstep. */
  async list(): Promise<TemplateEntry[]> {
    return [...readTemplates(this.#database).map(ownEntry), ...(await this.#builtInOnes())]
  }

  /** Throws `library.missing`. */
  async get(key: string): Promise<TemplateEntry> {
    const builtIn = (await this.#builtInOnes()).find((entry) => entry.key === key)
    if (builtIn !== undefined) return builtIn
    return ownEntry(required(readTemplate(this.#database, key), 'template'))
  }

  /** The template with every default filled in. Throws `template.malformed`, naming the key. */
  async check(template: unknown): Promise<RecipeJson> {
    const { template: complete } = await this.#engine.run('desk', 'template.check', { template })
    return RecipeJson.parse(complete)
  }

  /** Adds a template, or changes one. Throws `template.malformed`, and `library.in-use` for a built-in one. */
  async save(template: unknown, key?: string): Promise<TemplateEntry> {
    const checked = await this.check(template)
    const known = key === undefined ? undefined : await this.get(key)
    if (known?.builtIn === true) {
      throw new HalfstepError('library.in-use', `${known.name} comes with Halfstep and stays as it is.`, 'Save a copy under another name.')
    }
    const id = key ?? randomUUID()
    const now = new Date().toISOString()
    const name = typeof checked.name === 'string' ? checked.name : 'Template'
    writeTemplate(this.#database, { id, name, template: checked, createdAt: now, updatedAt: now })
    this.#changed()
    return this.get(id)
  }

  /** Adds a template from the text of a file. Throws `config.malformed` and `template.malformed`. */
  import(text: string, name: string): Promise<TemplateEntry> {
    return Promise.resolve().then(() => this.save(parseJsonObject(text, name)))
  }

  /** Into the bin. */
  async remove(key: string): Promise<void> {
    const { builtIn, name } = await this.get(key)
    if (builtIn) throw new HalfstepError('library.in-use', `${name} comes with Halfstep and stays.`, '')
    discard(this.#database, 'templates', key)
    this.#changed()
  }

  /** Read once: they come with the program. */
  #builtInOnes(): Promise<TemplateEntry[]> {
    this.#builtIn ??= this.#engine.run('desk', 'template.builtIn', {}).then((found) =>
      found.map(({ key, template }) => {
        const json = RecipeJson.parse(template)
        return { key, name: typeof json.name === 'string' ? json.name : key, builtIn: true, template: json, updatedAt: null }
      }))
    // A failure is told each time, and tried again.
    this.#builtIn.catch(() => (this.#builtIn = undefined))
    return this.#builtIn
  }

  #changed(): void {
    this.#bus.emit('library.changed', { area: 'templates' })
  }
}

function ownEntry({ id, name, template, updatedAt }: StoredTemplate): TemplateEntry {
  return { key: id, name, template, updatedAt, builtIn: false }
}
