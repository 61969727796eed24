import type { Bridge, Reply } from '../../main/ipc/bridge.ts'
import type { CallInput, CallResult, DatasetImage } from '../../main/ipc/contract.ts'
import type { Problem } from './problem.ts'

/** As many images as are asked for at a time. */
const PAGE = 200

/** The pictures of one dataset, fetched as they come into view: ten thousand are never in memory at once unless they are looked at. */
export class DatasetImagesState {
  readonly #bridge: Bridge
  readonly #id: string
  #images = $state.raw<readonly (DatasetImage | undefined)[]>([])
  #problem = $state.raw<Problem>()
  #loaded = $state(false)
  #search = ''
  /** Pages that were asked for. */
  #asked = new Set<number>()
  /** Answers to questions of an earlier turn no longer count. */
  #turn = 0

  constructor(bridge: Bridge, id: string) {
    this.#bridge = bridge
    this.#id = id
  }

  /** All that fit the search, in order; undefined where they have not been fetched. */
  get images(): readonly (DatasetImage | undefined)[] {
    return this.#images
  }

  /** Whether anything is known yet. */
  get loaded(): boolean {
    return this.#loaded
  }

  get problem(): Problem | undefined {
    return this.#problem
  }

  /** Begins anew, with images whose name or caption has these words. */
  async load(search: string = this.#search): Promise<void> {
    this.#search = search
    this.#turn++
    this.#asked = new Set()
    await this.#fetch(0, true)
  }

  /** Fetches what is missing among these. */
  need(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) {
      if (!this.#asked.has(page)) void this.#fetch(page, false)
    }
  }

  /** Writes a caption down. @returns why that failed */
  async setCaption(image: DatasetImage, caption: string): Promise<Problem | undefined> {
    if (caption === image.caption) return undefined
    const reply = await this.#bridge.call('datasets.setCaption', { image: image.id, caption })
    if (!reply.ok) return reply.error
    this.#images = this.#images.map((one) => (one?.id === image.id ? reply.value : one))
    return undefined
  }

  editCaptions(args: Omit<CallInput<'datasets.editCaptions'>, 'id'>): Promise<Reply<CallResult<'datasets.editCaptions'>>> {
    return this.#bridge.call('datasets.editCaptions', { id: this.#id, ...args })
  }

  async #fetch(page: number, anew: boolean): Promise<void> {
    const turn = this.#turn
    this.#asked.add(page)
    const reply = await this.#bridge.call('datasets.images', { id: this.#id, search: this.#search, offset: page * PAGE, limit: PAGE })
    if (turn !== this.#turn) return
    this.#loaded = true
    this.#problem = reply.ok ? undefined : reply.error
    if (!reply.ok) return
    const { total, images } = reply.value
    const known = anew ? [] : this.#images
    this.#images = Array.from({ length: total }, (_, index) => images[index - page * PAGE] ?? known[index])
  }
}
