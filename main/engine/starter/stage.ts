import type { FloatTensor } from '../tensor/tensor.ts'

/** A step of one of the starter's trainings. */
export interface StageStep {
  readonly stage: string
  /** From 0. */
  readonly step: number
  readonly steps: number
  readonly loss: number
}

export interface StageOptions {
  /** Where a training that was cut off is remembered. */
  readonly progressFolder: string
  readonly onStep?: (step: StageStep) => void
  readonly signal?: AbortSignal
}

/** What a training made. */
export interface TrainedStage {
  /** By the names diffusers gives them. */
  readonly weights: ReadonlyMap<string, FloatTensor>
  /** The loss of every step. */
  readonly losses: readonly number[]
}
