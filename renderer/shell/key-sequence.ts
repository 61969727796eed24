/** A letter after `g` counts for this long. */
const PATIENCE_MS = 1500

/** What decides about a key press. */
export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  /** Whether the keyboard belongs to a field in which people type. */
  readonly typing: boolean
  /** Milliseconds, from any beginning. */
  readonly at: number
}

/** Hears `g` followed by a letter, and single keys such as `?`. Keys with Ctrl, Alt or Meta, and keys typed into fields, are not for us. */
export class KeySequence {
  #leaderAt: number | undefined

  /** `g h` for a sequence, the key itself for a single one, undefined for what is none of ours. */
  press({ key, ctrlKey, metaKey, altKey, typing, at }: KeyPress): string | undefined {
    const leaderAt = this.#leaderAt
    this.#leaderAt = undefined
    if (typing || ctrlKey || metaKey || altKey) return undefined
    if (leaderAt !== undefined && at - leaderAt < PATIENCE_MS) return `g ${key.toLowerCase()}`
    if (key === 'g') this.#leaderAt = at
    return key
  }
}
