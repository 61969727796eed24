import type { Bridge, Reply } from '../../main/ipc/bridge.ts'
import type { CallInput, RatedPair, TasteCount, TasteSource } from '../../main/ipc/contract.ts'
import type { Problem } from './problem.ts'

export type Preference = CallInput<'tastes.rate'>['preferred']

/** Pairs asked for at a time. */
const BATCH = 8
/** Fewer than this left, and more are asked for. */
const FEW = 4

/**
 * Choosing between two pictures at a time. An answer shows the next pair at once and is written down behind it, one after another;
 * the pictures of the pairs to come are loaded ahead.
 */
export class TasteState {
  readonly #bridge: Bridge
  readonly #preload: (url: string) => void
  #taste = $state('')
  #source: TasteSource = { kind: 'studio' }
  #queue = $state.raw<readonly RatedPair[]>([])
  #count = $state.raw<TasteCount>()
  #problem = $state.raw<Problem>()
  #asked = $state(false)
  /** What was answered last is written down when this settles. */
  #writing: Promise<unknown> = Promise.resolve()
  #turn = 0

  /** @param preload brings a picture into the browser's cache */
  constructor(bridge: Bridge, preload: (url: string) => void) {
    this.#bridge = bridge
    this.#preload = preload
  }

  get taste(): string {
    return this.#taste
  }

  /** What is to be chosen from now; undefined while it is asked for, and when there is nothing left. */
  get pair(): RatedPair | undefined {
    return this.#queue[0]
  }

  /** Whether every pair has been asked about, or there are not two pictures. */
  get exhausted(): boolean {
    return this.#asked && this.#queue.length === 0
  }

  get count(): TasteCount {
    return this.#count ?? { taste: this.#taste, ratings: 0, choices: 0 }
  }

  get problem(): Problem | undefined {
    return this.#problem
  }

  /** Begins, or goes on, with a taste and pictures from somewhere. */
  async open(taste: string, source: TasteSource): Promise<void> {
    const turn = ++this.#turn
    this.#taste = taste
    this.#source = source
    this.#queue = []
    this.#asked = false
    const counts = this.#take(await this.#bridge.call('tastes.list', {}))
    if (turn !== this.#turn) return
    this.#count = counts?.find((count) => count.taste === taste)
    await this.refill()
  }

  choose(preferred: Preference): void {
    const { pair } = this
    if (pair === undefined) return
    this.#queue = this.#queue.slice(1)
    const args = { taste: this.#taste, left: pair.left.picture, right: pair.right.picture, preferred }
    this.#write(async () => {
      this.#count = this.#take(await this.#bridge.call('tastes.rate', args)) ?? this.#count
    })
    if (this.#queue.length < FEW) this.#write(() => this.refill())
  }

  /** Takes back the latest answer and asks about that pair again. */
  undo(): void {
    this.#write(async () => {
      const undone = this.#take(await this.#bridge.call('tastes.undo', { taste: this.#taste }))
      if (undone === undefined) return
      this.#count = undone.count
      if (undone.pair !== null) this.#queue = [undone.pair, ...this.#queue.filter((pair) => keyOf(pair) !== keyOf(undone.pair!))]
    })
  }

  /** Asks for more pairs, where there are more. */
  async refill(): Promise<void> {
    const turn = this.#turn
    const reply = await this.#bridge.call('tastes.next', { taste: this.#taste, source: this.#source, count: BATCH })
    if (turn !== this.#turn) return
    const pairs = this.#take(reply)?.pairs ?? []
    const waiting = new Set(this.#queue.map(keyOf))
    this.#queue = [...this.#queue, ...pairs.filter((pair) => !waiting.has(keyOf(pair)))]
    this.#asked = true
    for (const { left, right } of pairs) for (const { url } of [left, right]) this.#preload(url)
  }

  #write(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work)
  }

  #take<T>(reply: Reply<T>): T | undefined {
    this.#problem = reply.ok ? undefined : reply.error
    return reply.ok ? reply.value : undefined
  }
}

const keyOf = ({ left, right }: RatedPair): string => [left.picture, right.picture].sort().join(' ')
