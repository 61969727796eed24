import type { Bridge } from '../../main/ipc/bridge.ts'
import type { CallInput, Generation } from '../../main/ipc/contract.ts'
import { Answer } from './answer.svelte.ts'
import type { Problem } from './problem.ts'
import { newTaskName } from './tasks.svelte.ts'
import { NO_TEMPLATE } from './template-use.ts'

type Request = CallInput<'studio.generate'>

/** What the person has set in the studio; it stays while they visit other pages. */
export class StudioSettings {
  modelId = $state<string>()
  prompt = $state('')
  negative = $state('')
  adapters = $state<{ id: string; strength: number }[]>([])
  template = $state.raw(NO_TEMPLATE)
  /** Makes every picture twice from the same noise: without the adapters and with them. */
  compare = $state(true)
  count = $state(4)
  seed = $state(1)
  /** Keeps the seed from one time to the next; else each time begins from new noise. */
  seedLocked = $state(false)
  steps = $state(25)
  guidance = $state(7.5)
  sampler = $state<NonNullable<Request['sampler']>>('dpmpp')
}

/** The same noise without and with the adapters; where nothing is compared there is only `after`. */
export interface PicturePair {
  readonly position: number
  readonly before: Generation | undefined
  readonly after: Generation | undefined
}

/** What is being made. */
export interface Making {
  readonly task: string
  /** Whether this is the half without adapters of a comparison. */
  readonly before: boolean
}

/** As many as the list asks for at a time. */
const PAGE = 200

/** Making pictures, and those that were made. */
export class StudioState {
  readonly settings = new StudioSettings()
  readonly #bridge: Bridge
  readonly #history: Answer<{ total: number; generations: Generation[] }>
  #pairs = $state.raw<readonly PicturePair[]>([])
  #making = $state.raw<Making>()
  #problem = $state.raw<Problem>()
  #notes = $state.raw<readonly string[]>([])
  #limit = PAGE
  #cancelled = false

  constructor(bridge: Bridge) {
    this.#bridge = bridge
    this.#history = new Answer(() => bridge.call('studio.list', { limit: this.#limit }))
    bridge.on('studio.picture', ({ generation }) => {
      // Repairs are another page's business.
      if (this.#making && generation.source === null) this.#place(generation, this.#making.before)
    })
    bridge.on('library.changed', ({ area }) => {
      if (area === 'generations') void this.load()
    })
  }

  /** What the last request made. */
  get pairs(): readonly PicturePair[] {
    return this.#pairs
  }

  get making(): Making | undefined {
    return this.#making
  }

  get problem(): Problem | undefined {
    return this.#problem
  }

  /** What the person should know about the last request. */
  get notes(): readonly string[] {
    return this.#notes
  }

  /** Youngest first. */
  get history(): readonly Generation[] {
    return this.#history.value?.generations ?? []
  }

  /** How many there are in all. */
  get total(): number {
    return this.#history.value?.total ?? 0
  }

  load(): Promise<void> {
    return this.#history.load()
  }

  loadMore(): Promise<void> {
    this.#limit += PAGE
    return this.load()
  }

  /** Adds an adapter, or takes it at this strength where it is there already. */
  useAdapter(id: string, strength: number): void {
    this.settings.adapters = [...this.settings.adapters.filter((adapter) => adapter.id !== id), { id, strength }]
  }

  /** Makes pictures as the settings say. Those that are there when it is cancelled stay. @param template as `templateUse` gives it */
  async generate(template?: Request['template']): Promise<void> {
    const { settings } = this
    const { modelId, adapters } = settings
    if (modelId === undefined || this.#making) return
    if (!settings.seedLocked) settings.seed = Math.floor(Math.random() * 2 ** 32)
    this.#pairs = []
    this.#problem = undefined
    this.#notes = []
    this.#cancelled = false
    const halves = settings.compare && adapters.length > 0 ? [true, false] : [false]
    for (const before of halves) if (await this.#make(modelId, before, template) === 'ended') break
    this.#making = undefined
  }

  async cancel(): Promise<void> {
    this.#cancelled = true
    if (this.#making) await this.#bridge.call('tasks.cancel', { task: this.#making.task })
  }

  async remove(id: string): Promise<Problem | undefined> {
    const reply = await this.#bridge.call('studio.remove', { id })
    if (!reply.ok) return reply.error
    this.#pairs = this.#pairs.map(({ position, before, after }) => ({
      position, before: before?.id === id ? undefined : before, after: after?.id === id ? undefined : after,
    }))
    return undefined
  }

  #request(modelId: string): Request {
    const { prompt, negative, adapters, count, seed, steps, guidance, sampler } = this.settings
    return {
      modelId, prompts: [prompt], adapters: adapters.map(({ id, strength }) => ({ id, strength })), seed, count, steps, guidance, sampler,
      ...(negative.trim() === '' ? {} : { negative }),
    }
  }

  /** @returns `ended` when there is to be no other half, because this one failed or the person has had enough */
  async #make(modelId: string, before: boolean, template: Request['template']): Promise<'made' | 'ended'> {
    const task = newTaskName()
    this.#making = { task, before }
    const reply = await this.#bridge.call('studio.generate', {
      ...this.#request(modelId), ...(before ? { adapters: [] } : {}), ...(template === undefined ? {} : { template }), task,
    })
    if (!reply.ok) {
      if (reply.error.code !== 'cancelled') this.#problem = reply.error
      return 'ended'
    }
    for (const generation of reply.value.generations) this.#place(generation, before)
    this.#notes = reply.value.notes
    return this.#cancelled ? 'ended' : 'made'
  }

  /** Pictures come one by one and again at the end; each has one place. */
  #place(generation: Generation, before: boolean): void {
    const { position } = generation
    const pair = this.#pairs.find((one) => one.position === position) ?? { position, before: undefined, after: undefined }
    const filled = before ? { ...pair, before: generation } : { ...pair, after: generation }
    this.#pairs = [...this.#pairs.filter((one) => one.position !== position), filled].sort((a, b) => a.position - b.position)
  }
}
