import type { RunWarning, TrainingCost } from '../protocol.ts'
import type { AlgorithmState, Apply, UpdateSummary } from '../rlr/algorithm.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import type { FileSystem } from './file-system.ts'

/** Which batch an update is made from. */
export interface Draw {
  /** Counts the batches of a run; every random number of this one is made from it. */
  readonly index: number
  readonly theta: Parameters
}

/** What a task has learned besides θ, exact to the bit: numbers, and what is better said in JSON. */
export interface TaskState {
  readonly arrays: AlgorithmState
  readonly json: unknown
}

/** The state of a task that has learned nothing yet. */
export const NOTHING_LEARNED: TaskState = { arrays: {}, json: null }

/** What the trainer hears of a batch. */
export interface TaskSummary extends UpdateSummary {
  /** Mean of each part of a mixed reward, unweighted, and of the penalties, by name. */
  readonly parts: Readonly<Record<string, number>>
}

/** Something that a person should know about a task before it runs. */
export interface TaskNote {
  readonly kind: RunWarning
  readonly message: string
  readonly nextStep: string
}

/**
 * What is trained, and on what: everything the training loop does not need to know. An update must depend on nothing but the
 * draw and the state, so that a run can be resumed exactly.
 */
export interface TrainingTask {
  readonly parameterCount: number
  /** Names of the reward's parts, whose weights can be changed while the run goes on. */
  readonly rewardParts: readonly string[]
  /** What each of them counts now; absent where there are none. */
  readonly rewardWeights?: Readonly<Record<string, number>>
  /** Told when a run starts. */
  readonly notes?: readonly TaskNote[]
  /** θ at the beginning; the same in every call. */
  initialTheta(): Parameters
  /**
   * One batch: calls `apply` with a gradient of the objective for each optimizer step it takes, uphill being plus.
   * Throws NotFinite where it meets such numbers.
   */
  update(draw: Draw, apply: Apply): Promise<TaskSummary>
  /** What it has learned during the run besides θ; part of a checkpoint. A copy. */
  state(): TaskState
  /** Goes back to a state; to the beginning for NOTHING_LEARNED. Throws `run.damaged` when it is not one of this task's. */
  restore(state: TaskState): void
  /** Takes effect with the next batch, and is part of the state. @param reward one of `rewardParts` */
  setRewardWeight(reward: string, weight: number): void
  /** Writes θ as a file that other programs can use; the same bytes for the same θ. */
  exportAdapter(theta: Parameters, path: string, files: FileSystem): Promise<void>
  /** Writes pictures for people into a folder and gives their paths. Changes nothing that an update depends on. */
  sample(theta: Parameters, update: number, folder: string, files: FileSystem): Promise<string[]>
  /** Measures a little and tells what an update will need. */
  estimate(): Promise<TrainingCost>
  /** Memory of the device that is in use at most since the task was opened, in bytes; null when it is not known. */
  peakMemory(): Promise<number | null>
  /**
   * Makes whatever follows need less memory of the device, for the same results up to rounding and more time, and says how in
   * words that complete "with …"; undefined where nothing is left to save.
   */
  needLess?(): Promise<string | undefined>
  dispose(): Promise<void>
}
