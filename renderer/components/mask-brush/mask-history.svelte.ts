/** A point of a stroke, in the picture's pixels. */
export interface BrushPoint {
  readonly x: number
  readonly y: number
  /** 0 … 1; 1 for what has no pressure. */
  readonly pressure: number
}

export interface Stroke {
  readonly kind: 'stroke'
  /** Takes away instead of adding. */
  readonly erase: boolean
  /** Diameter in the picture's pixels, at full pressure. */
  readonly size: number
  readonly points: readonly BrushPoint[]
}

export interface MarkedRectangle {
  readonly kind: 'rectangle'
  readonly erase: boolean
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** Names the proposal it stands for, where it is one. */
  readonly proposal?: string
}

/** One thing that was done to a mask. */
export type MaskChange = Stroke | MarkedRectangle | { readonly kind: 'invert' } | { readonly kind: 'clear' }

/** What was done to a mask, in order, and what was taken back. The mask is what comes of doing it all again. */
export class MaskHistory {
  #done = $state.raw<readonly MaskChange[]>([])
  #undone = $state.raw<readonly MaskChange[]>([])

  get changes(): readonly MaskChange[] {
    return this.#done
  }

  get canUndo(): boolean {
    return this.#done.length > 0
  }

  get canRedo(): boolean {
    return this.#undone.length > 0
  }

  /** Whether nothing is painted, as far as the changes tell: what was erased stroke by stroke still counts as painted. */
  get isEmpty(): boolean {
    const last = this.#done.findLastIndex(({ kind }) => kind === 'clear')
    return this.#done.slice(last + 1).every((change) => 'erase' in change && change.erase)
  }

  /** The proposals that are marked now. */
  get marked(): ReadonlySet<string> {
    const marked = new Set<string>()
    for (const change of this.#done) {
      if (change.kind === 'clear') marked.clear()
      if (change.kind !== 'rectangle' || change.proposal === undefined) continue
      if (change.erase) marked.delete(change.proposal)
      else marked.add(change.proposal)
    }
    return marked
  }

  /** Does something; what was taken back before is gone for good. */
  add(change: MaskChange): void {
    this.#done = [...this.#done, change]
    this.#undone = []
  }

  undo(): void {
    const last = this.#done.at(-1)
    if (last === undefined) return
    this.#done = this.#done.slice(0, -1)
    this.#undone = [...this.#undone, last]
  }

  redo(): void {
    const next = this.#undone.at(-1)
    if (next === undefined) return
    this.#undone = this.#undone.slice(0, -1)
    this.#done = [...this.#done, next]
  }

  /** Begins afresh: for another picture. */
  reset(): void {
    this.#done = []
    this.#undone = []
  }
}
