import type { Bridge } from '../../main/ipc/bridge.ts'
import type { CallInput, DetectedBox, Generation } from '../../main/ipc/contract.ts'
import { MaskHistory } from '../components/mask-brush/mask-history.svelte.ts'
import { fileBase64 } from './file-base64.ts'
import type { Problem } from './problem.ts'
import { newTaskName } from './tasks.svelte.ts'
import { NO_TEMPLATE } from './template-use.ts'

type Request = CallInput<'studio.repair'>

/** Surroundings from here on mean the whole picture. */
export const WHOLE_PICTURE = 3.25

/** What the person has set for repairs; it stays while they visit other pages. */
export class RepairSettings {
  modelId = $state<string>()
  prompt = $state('')
  negative = $state('')
  adapters = $state<{ id: string; strength: number }[]>([])
  template = $state.raw(NO_TEMPLATE)
  strength = $state(0.75)
  /** In pixels of the picture. */
  feather = $state(8)
  /** How far around the mask the model sees, in the mask's longer sides. */
  surroundings = $state(1)
  count = $state(4)
  seed = $state(1)
  seedLocked = $state(false)
  steps = $state(25)
  guidance = $state(7.5)
  sampler = $state<NonNullable<Request['sampler']>>('dpmpp')
}

/** The picture that is worked on. */
export interface RepairPicture {
  readonly source: Request['source']
  readonly name: string
  readonly url: string
  readonly width: number
  readonly height: number
}

/** A proposal of the detector, under a name of its own. */
export interface Proposal extends DetectedBox {
  readonly name: string
}

/** Repairing a picture: what is worked on, where it is painted, and the variants that were drawn. */
export class RepairState {
  readonly settings = new RepairSettings()
  readonly mask = new MaskHistory()
  readonly #bridge: Bridge
  #picture = $state.raw<RepairPicture>()
  #opening = $state(false)
  #variants = $state.raw<readonly Generation[]>([])
  #chosen = $state<string>()
  #work = $state.raw<{ readonly task: string; readonly picture: RepairPicture }>()
  #problem = $state.raw<Problem>()
  #notes = $state.raw<readonly string[]>([])
  #proposals = $state.raw<readonly Proposal[]>()
  #detecting = $state<string>()
  #detector = $state('')

  constructor(bridge: Bridge) {
    this.#bridge = bridge
    bridge.on('studio.picture', ({ generation }) => {
      // Another picture may have been opened meanwhile: then its variants are in the list of what was made.
      if (this.#work && this.#work.picture === this.#picture && generation.source !== null) this.#place(generation)
    })
  }

  get picture(): RepairPicture | undefined {
    return this.#picture
  }

  /** Whether a picture is being taken in. */
  get opening(): boolean {
    return this.#opening
  }

  /** What the last request drew, in order. */
  get variants(): readonly Generation[] {
    return this.#variants
  }

  /** The variant that is looked at; undefined while the mask is painted. */
  get chosen(): Generation | undefined {
    return this.#variants.find(({ id }) => id === this.#chosen)
  }

  /** The task that draws; undefined when nothing is being drawn. */
  get task(): string | undefined {
    return this.#work?.task
  }

  get problem(): Problem | undefined {
    return this.#problem
  }

  /** What the person should know about the last request. */
  get notes(): readonly string[] {
    return this.#notes
  }

  /** What the detector found; undefined before it was asked about this picture. */
  get proposals(): readonly Proposal[] | undefined {
    return this.#proposals
  }

  get detecting(): string | undefined {
    return this.#detecting
  }

  /** The detector's file. */
  get detector(): string {
    return this.#detector
  }

  set detector(path: string) {
    this.#detector = path
  }

  /** Asks which detector worked last. */
  async load(): Promise<void> {
    const reply = await this.#bridge.call('studio.detector', {})
    if (reply.ok && this.#detector === '') this.#detector = reply.value.path ?? ''
  }

  /** Takes in a picture that was dropped, chosen or pasted. */
  async openFile(file: File): Promise<void> {
    this.#opening = true
    this.#problem = undefined
    try {
      const name = file.name || 'picture'
      const reply = await this.#bridge.call('pictures.import', { name, base64: await fileBase64(file) })
      if (reply.ok) this.#open({ source: { picture: reply.value.picture }, name, ...sizeAndUrl(reply.value) })
      else this.#problem = reply.error
    } catch {
      this.#problem = { message: `${file.name} cannot be read any more.`, nextStep: 'Choose it again.' }
    } finally {
      this.#opening = false
    }
  }

  /** Works on a picture of the studio, with the model, adapters and prompt it was made by. */
  openGeneration(generation: Generation): void {
    const { id, prompt, modelId, recipe } = generation
    this.#open({ source: { generation: id }, name: prompt || `Seed ${generation.seed}`, ...sizeAndUrl(generation) })
    const { settings } = this
    settings.prompt = prompt
    if (modelId !== null) settings.modelId = modelId
    settings.adapters = adaptersOf(recipe)
  }

  close(): void {
    this.#picture = undefined
    this.#clean()
  }

  choose(id: string | undefined): void {
    this.#chosen = id
  }

  /**
   * Draws variants of what is painted. Those that are there when it is cancelled stay.
   * @param mask PNG in base64 @param template as `templateUse` gives it
   */
  async repair(mask: string, template: Request['template']): Promise<void> {
    const { settings } = this
    const picture = this.#picture
    if (settings.modelId === undefined || picture === undefined || this.#work) return
    if (!settings.seedLocked) settings.seed = Math.floor(Math.random() * 2 ** 32)
    this.#variants = []
    this.#chosen = undefined
    this.#problem = undefined
    this.#notes = []
    const task = newTaskName()
    this.#work = { task, picture }
    const reply = await this.#bridge.call('studio.repair', {
      ...this.#request(settings.modelId), source: picture.source, mask, task, ...(template === undefined ? {} : { template }),
    })
    this.#work = undefined
    if (this.#picture !== picture) return
    if (!reply.ok) {
      if (reply.error.code !== 'cancelled') this.#problem = reply.error
      return
    }
    for (const generation of reply.value.generations) this.#place(generation)
    this.#notes = reply.value.notes
  }

  async cancel(): Promise<void> {
    if (this.#work) await this.#bridge.call('tasks.cancel', { task: this.#work.task })
  }

  /** Puts the other variants into the bin. @returns how many there were, or the problem */
  async keepOnly(id: string): Promise<number | Problem> {
    const others = this.#variants.filter((variant) => variant.id !== id)
    for (const other of others) {
      const reply = await this.#bridge.call('studio.remove', { id: other.id })
      if (!reply.ok) return reply.error
      this.#variants = this.#variants.filter((variant) => variant.id !== other.id)
    }
    return others.length
  }

  /** Asks the detector about the picture. */
  async detect(): Promise<void> {
    const picture = this.#picture
    if (picture === undefined || this.#detecting !== undefined) return
    const task = newTaskName()
    this.#detecting = task
    this.#problem = undefined
    const reply = await this.#bridge.call('studio.detectHands', { source: picture.source, detector: this.#detector, task })
    this.#detecting = undefined
    if (this.#picture !== picture) return
    if (reply.ok) this.#proposals = named(reply.value.boxes)
    else if (reply.error.code !== 'cancelled') this.#problem = reply.error
  }

  /** Marks a proposal with a little around it, or takes it away again. */
  toggle({ name, left, top, width, height }: Proposal): void {
    const { picture, mask } = this
    if (picture === undefined) return
    const rim = Math.round(0.08 * Math.max(width, height))
    const [x, y] = [Math.max(0, left - rim), Math.max(0, top - rim)]
    const size = { width: Math.min(picture.width, left + width + rim) - x, height: Math.min(picture.height, top + height + rim) - y }
    mask.add({ kind: 'rectangle', erase: mask.marked.has(name), left: x, top: y, ...size, proposal: name })
  }

  #open(picture: RepairPicture): void {
    this.#clean()
    this.#picture = picture
  }

  #clean(): void {
    this.mask.reset()
    this.#variants = []
    this.#chosen = undefined
    this.#proposals = undefined
    this.#problem = undefined
    this.#notes = []
  }

  #request(modelId: string): Omit<Request, 'source' | 'mask'> {
    const { prompt, negative, adapters, strength, feather, surroundings, count, seed, steps, guidance, sampler } = this.settings
    return {
      modelId, prompt, strength, feather, count, seed, steps, guidance, sampler,
      adapters: adapters.map((adapter) => ({ id: adapter.id, strength: adapter.strength })),
      context: surroundings >= WHOLE_PICTURE ? null : surroundings,
      ...(negative.trim() === '' ? {} : { negative }),
    }
  }

  /** Variants come one by one and again at the end; each has one place, and the first is looked at. */
  #place(generation: Generation): void {
    this.#variants = [...this.#variants.filter(({ id }) => id !== generation.id), generation].sort((a, b) => a.position - b.position)
    this.#chosen ??= generation.id
  }
}

type Shown = Pick<RepairPicture, 'url' | 'width' | 'height'>

function sizeAndUrl({ url, width, height }: Shown): Shown {
  return { url, width, height }
}

/** The adapters in a recipe of the studio. */
function adaptersOf({ adapters }: Generation['recipe']): { id: string; strength: number }[] {
  if (!Array.isArray(adapters)) return []
  return adapters.flatMap((adapter) => {
    if (typeof adapter !== 'object' || adapter === null || Array.isArray(adapter)) return []
    const { id, strength } = adapter
    return typeof id === 'string' && typeof strength === 'number' ? [{ id, strength }] : []
  })
}

/** `Hand 1`, `Hand 2`, `Face 1`: numbered in the order of their scores. */
function named(boxes: readonly DetectedBox[]): Proposal[] {
  const counts = new Map<string, number>()
  return boxes.map((box) => {
    const label = box.label ?? 'place'
    const count = (counts.get(label) ?? 0) + 1
    counts.set(label, count)
    return { ...box, name: `${label.charAt(0).toUpperCase()}${label.slice(1)} ${count}` }
  })
}
