import { mean } from '../rlr/batch-arithmetic.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import type { StepAccount } from '../rlr/update-context.ts'
import { accumulate } from './accumulate.ts'
import { updateAdamW } from './adamw.ts'
import { updateEma } from './ema.ts'
import { clipGradient } from './gradient-clipping.ts'
import { requireFinite } from './not-finite.ts'
import type { TrainingPlan } from './plan.ts'
import type { RunState } from './run-state.ts'
import { learningRateFactor } from './schedules.ts'
import type { TaskSummary, TrainingTask } from './training-task.ts'

/** An update that went well. */
export interface TakenUpdate {
  readonly state: RunState
  readonly rewards: Float64Array
  readonly parts: Readonly<Record<string, number>>
  /** Of the last optimizer step, before clipping. */
  readonly gradientNorm: number
  readonly learningRate: number
  readonly steps: readonly StepAccount[]
}

/**
 * One update: batches, gradient, optimizer, moving average. Gives a new state and leaves the old one as it was; only the task has
 * then gone on. Throws NotFinite as soon as a gradient, reward or parameter is NaN or infinite.
 */
export async function takeUpdate(task: TrainingTask, plan: TrainingPlan, state: RunState): Promise<TakenUpdate> {
  const { accumulation } = plan
  const learningRate = plan.optimizer.learningRate * learningRateFactor(plan.schedule, state.update, plan.updates)
  let { theta, optimizer, ema } = state
  let gradientNorm = 0

  const apply = async (gradient: Parameters): Promise<Parameters> => {
    requireFinite('the gradient', gradient)
    const clipped = clipGradient(gradient, plan.optimizer.clipNorm)
    gradientNorm = clipped.norm
    const moved = updateAdamW(plan.optimizer, optimizer, theta, clipped.gradient, learningRate)
    requireFinite("the optimizer's second moment", moved.state.second)
    requireFinite("the adapter after the optimizer's step", moved.theta)
    ;({ theta, state: optimizer } = moved)
    return theta
  }
  const batch = (index: number, applyBatch: typeof apply): Promise<TaskSummary> =>
    task.update({ index: state.draws + index, theta: state.theta }, applyBatch)

  const summaries = await accumulate(accumulation, batch, apply)
  const rewards = Float64Array.from(summaries.flatMap((summary) => [...summary.rewards]))
  requireFinite('the reward', rewards)
  if (ema !== null && plan.ema !== null) ema = updateEma(ema, theta, plan.ema.decay, state.update)
  return {
    rewards,
    gradientNorm,
    learningRate,
    parts: averages(summaries.map(({ parts }) => parts)),
    steps: summaries.at(-1)?.steps ?? [],
    state: {
      ...state,
      update: state.update + 1,
      draws: state.draws + accumulation,
      theta,
      optimizer,
      ema,
      task: task.state(),
      ...rewardRecord(state, rewards),
    },
  }
}

/** What is remembered of rewards: their range over the whole run, and their mean since the last checkpoint. */
function rewardRecord({ rewardRange, recent }: RunState, rewards: Float64Array): Pick<RunState, 'rewardRange' | 'recent'> {
  return {
    rewardRange: {
      min: Math.min(rewardRange?.min ?? Infinity, ...rewards),
      max: Math.max(rewardRange?.max ?? -Infinity, ...rewards),
    },
    recent: { sum: recent.sum + mean(rewards), count: recent.count + 1 },
  }
}

function averages(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(parts.flatMap((part) => Object.keys(part)))
  return Object.fromEntries([...names].map((name) => [name, mean(parts.map((part) => part[name] ?? 0))]))
}
