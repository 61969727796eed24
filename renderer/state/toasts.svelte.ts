import type { Problem } from './problem.ts'

/** Something that has happened, said in passing; it leaves by itself, and what it offers (undo) leaves with it. */
export interface Toast {
  readonly id: number
  readonly tone: 'plain' | 'error'
  readonly text: string
  /** A second line: what to do next. */
  readonly nextStep: string
  readonly action?: { readonly label: string; readonly run: () => void }
}

/** How long a toast stays: long enough to read, to find the mouse and to press Undo. */
const STAY_MS = 8000
/** Older ones make room. */
const MOST = 4

/** What the app says in passing. */
export class ToastState {
  #toasts = $state.raw<readonly Toast[]>([])
  #nextId = 0

  get toasts(): readonly Toast[] {
    return this.#toasts
  }

  say(text: string, action?: Toast['action']): void {
    this.#add({ tone: 'plain', text, nextStep: '', ...(action ? { action } : {}) })
  }

  /** Errors stay until they are dismissed. */
  complain({ message, nextStep }: Problem): void {
    this.#add({ tone: 'error', text: message, nextStep })
  }

  dismiss(id: number): void {
    this.#toasts = this.#toasts.filter((toast) => toast.id !== id)
  }

  #add(toast: Omit<Toast, 'id'>): void {
    const id = this.#nextId++
    this.#toasts = [...this.#toasts, { id, ...toast }].slice(-MOST)
    if (toast.tone === 'plain') setTimeout(() => this.dismiss(id), STAY_MS)
  }
}
