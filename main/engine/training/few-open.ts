/** Things that cost memory while they are open, by key: so many at a time, and the one that was not asked for longest makes room. */
export class FewOpen<K, T extends { dispose(): Promise<void> }> {
  readonly #most: number
  readonly #create: (key: K) => Promise<T>
  /** Least recently asked for first. */
  readonly #open = new Map<K, T>()

  constructor(most: number, create: (key: K) => Promise<T>) {
    this.#most = most
    this.#create = create
  }

  /** Good until others are asked for. One at a time: not to be called again before it resolves. */
  async get(key: K): Promise<T> {
    const found = this.#open.get(key) ?? (await this.#makeRoomFor(key))
    this.#open.delete(key)
    this.#open.set(key, found)
    return found
  }

  async dispose(): Promise<void> {
    for (const key of [...this.#open.keys()]) await this.#close(key)
  }

  async #makeRoomFor(key: K): Promise<T> {
    const oldest = [...this.#open.keys()].slice(0, Math.max(0, this.#open.size + 1 - this.#most))
    for (const other of oldest) await this.#close(other)
    return this.#create(key)
  }

  async #close(key: K): Promise<void> {
    const closed = this.#open.get(key)
    this.#open.delete(key)
    await closed?.dispose()
  }
}
