import type { AdamWSettings } from './adamw.ts'
import type { Schedule } from './schedules.ts'

/** The part of a recipe that the training loop itself follows. */
export interface TrainingPlan {
  /** Fingerprint of the recipe: checkpoints of another one are refused. */
  readonly recipe: string
  readonly updates: number
  /** Batches whose gradients are averaged before each optimizer step. */
  readonly accumulation: number
  readonly optimizer: AdamWSettings & {
    readonly learningRate: number
    /** Largest global norm of a gradient; null for no limit. */
    readonly clipNorm: number | null
  }
  readonly schedule: Schedule
  /** Moving average of the parameters; `export` makes it the adapter. */
  readonly ema: { readonly decay: number; readonly export: boolean } | null
  readonly checkpoint: { readonly every: number; readonly keepLast: number }
  /** Updates between pictures for people; null for none. */
  readonly sampleEvery: number | null
}
