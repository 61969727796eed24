import type { GenerationView } from './studio/generation-view.ts'
import type { RunNotice } from './runs/run-notice.ts'
import type { Settings } from './settings.ts'
import type { TaskProgress } from './tasks.ts'
import type { PreviewStep } from './templates/preview-template.ts'

/** The parts of the library that pages show. */
export const LIBRARY_AREAS = [
  'models', 'runs', 'adapters', 'generations', 'prompts', 'templates', 'rewards', 'datasets',
] as const
export type LibraryArea = (typeof LIBRARY_AREAS)[number]

/** What the services tell without being asked. */
export interface ServiceEvents {
  /** How far something long has come. */
  'tasks.progress': TaskProgress
  /** Something long is over, whichever way. */
  'tasks.ended': { readonly task: string }
  /** Something in this area was added, changed or removed. */
  'library.changed': { readonly area: LibraryArea }
  'settings.changed': Settings
  /** Something happened in a training run. */
  'runs.event': RunNotice
  /** A picture was made. */
  'studio.picture': { readonly generation: GenerationView }
  /** A picture on the way from noise was made, for a look at a template. */
  'templates.picture': PreviewStep
}

export type ServiceListener = <N extends keyof ServiceEvents>(name: N, payload: ServiceEvents[N]) => void

/** Where the services say what happens and the hosts listen. */
export class ServiceBus {
  readonly #listeners = new Set<ServiceListener>()

  emit<N extends keyof ServiceEvents>(name: N, payload: ServiceEvents[N]): void {
    for (const listener of this.#listeners) listener(name, payload)
  }

  /** Hears everything until the returned function is called. */
  listen(listener: ServiceListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
