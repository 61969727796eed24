import type { Parameters } from '../rlr/denoiser.ts'
import { initAdamW, type AdamWState } from './adamw.ts'
import { NOTHING_LEARNED, type TaskState } from './training-task.ts'

/** Everything a run needs to go on as if it had never stopped: what a checkpoint holds. */
export interface RunState {
  /** Updates made. */
  readonly update: number
  /** Batches drawn, which is the position in all random streams: numbers are made from their place, so there is no other. */
  readonly draws: number
  readonly theta: Parameters
  readonly optimizer: AdamWState
  /** Moving average of θ, where the recipe asks for one. */
  readonly ema: Parameters | null
  /** What the training task has learned besides. */
  readonly task: TaskState
  /** Smallest and largest reward of any sample so far. */
  readonly rewardRange: { readonly min: number; readonly max: number } | null
  /** Sum of the mean rewards of the updates since the last regular checkpoint: their mean decides which checkpoint is best. */
  readonly recent: { readonly sum: number; readonly count: number }
  readonly best: { readonly update: number; readonly reward: number } | null
}

export function initialState(theta: Parameters, withEma: boolean): RunState {
  return {
    update: 0,
    draws: 0,
    theta,
    optimizer: initAdamW(theta.length),
    ema: withEma ? theta.slice() : null,
    task: NOTHING_LEARNED,
    rewardRange: null,
    recent: { sum: 0, count: 0 },
    best: null,
  }
}
