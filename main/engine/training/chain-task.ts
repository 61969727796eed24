import type { TrainingCost } from '../protocol.ts'
import type { Algorithm, Apply } from '../rlr/algorithm.ts'
import type { ChainReward, Parameters } from '../rlr/denoiser.ts'
import type { UpdateContext } from '../rlr/update-context.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { DriftWatch, type DriftPenalty } from './drift-penalty.ts'
import type { FileSystem } from './file-system.ts'
import { requireFinite } from './not-finite.ts'
import type { Draw, TaskState, TaskSummary, TrainingTask } from './training-task.ts'

/** A batch of prompts and noise, ready for an algorithm. */
export interface ChainBatch {
  readonly context: UpdateContext
  /** Ends the batch: what its reward has learned counts from now on. Gives the mean of each part over the unperturbed rollout. */
  finish(): Readonly<Record<string, number>>
}

/** A model with a sampling chain and a reward on what it yields. */
export interface ChainModel {
  readonly parameterCount: number
  readonly rewardParts: readonly string[]
  /** What each of them counts now. */
  readonly rewardWeights?: Readonly<Record<string, number>>
  initialTheta(): Parameters
  batch(draw: Draw): Promise<ChainBatch>
  setRewardWeight(reward: string, weight: number): void
  /** What the reward has learned, such as running means and weights: JSON. */
  state(): unknown
  /** Goes back to a state; to the beginning for null. */
  restore(state: unknown): void
  exportAdapter(theta: Parameters, path: string, files: FileSystem): Promise<void>
  sample(theta: Parameters, update: number, folder: string, files: FileSystem): Promise<string[]>
  estimate(): Promise<TrainingCost>
  peakMemory(): Promise<number | null>
  /** As a training task's. */
  needLess?(): Promise<string | undefined>
  dispose(): Promise<void>
}

/** Fine-tuning of a sampling chain by an algorithm: what RLR and its peers are run as. */
export function chainTask(model: ChainModel, algorithm: Algorithm, drift: DriftPenalty): TrainingTask {
  return {
    parameterCount: model.parameterCount,
    rewardParts: model.rewardParts,
    get rewardWeights() {
      return model.rewardWeights ?? {}
    },
    initialTheta: () => model.initialTheta(),
    update: (draw, apply) => update(model, algorithm, drift, draw, apply),
    setRewardWeight: (reward, weight) => model.setRewardWeight(reward, weight),
    state: () => ({ arrays: algorithm.state(), json: model.state() }),
    restore: ({ arrays, json }: TaskState) => {
      algorithm.restore(arrays)
      model.restore(json)
    },
    exportAdapter: (theta, path, files) => model.exportAdapter(theta, path, files),
    sample: (theta, number, folder, files) => model.sample(theta, number, folder, files),
    estimate: () => model.estimate(),
    peakMemory: () => model.peakMemory(),
    needLess: async () => model.needLess?.(),
    dispose: () => model.dispose(),
  }
}

async function update(model: ChainModel, algorithm: Algorithm, drift: DriftPenalty, draw: Draw, apply: Apply): Promise<TaskSummary> {
  const batch = await model.batch(draw)
  const context = { ...batch.context, reward: watched(batch.context.reward) }
  if (drift.weight === 0) {
    const summary = await algorithm.update(context, apply)
    return { ...summary, parts: batch.finish() }
  }
  const watch = new DriftWatch(drift, context)
  // Once per batch, whatever number of steps the algorithm takes on it.
  const applyWithPenalty: Apply = async (gradient) => apply(watch.value === undefined ? await watch.addTo(gradient) : gradient)
  const summary = await algorithm.update({ ...context, denoiser: watch.denoiser }, applyWithPenalty)
  return { ...summary, parts: { ...batch.finish(), drift: watch.value ?? 0 } }
}

/** The same reward, refusing NaN and infinity where they first appear, so that they can be told apart. */
function watched({ value, gradient }: ChainReward): ChainReward {
  const withGradient = async (judge: NonNullable<typeof gradient>, x0: FloatTensor, weights: Float64Array) => {
    requireFinite('the sampled latent', x0.data)
    const result = await judge(x0, weights)
    requireFinite('the reward', result.values)
    requireFinite('the gradient of the reward', result.dx0.data)
    return result
  }
  return {
    value: async (x0) => {
      requireFinite('the sampled latent', x0.data)
      const values = await value(x0)
      requireFinite('the reward', values)
      return values
    },
    ...(gradient === undefined ? {} : { gradient: (x0, weights) => withGradient(gradient, x0, weights) }),
  }
}
