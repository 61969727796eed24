import { rm } from 'node:fs/promises'
import { HalfstepError } from '../errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { learningRateFactor, type Schedule } from '../training/schedules.ts'
import type { NetworkTrainer } from './network-trainer.ts'
import { loadProgress, saveProgress } from './progress-file.ts'

export interface NetworkTraining {
  /** What is trained and how, so that progress of something else is never continued. */
  readonly stage: string
  readonly steps: number
  readonly learningRate: number
  readonly schedule: Schedule
  /** What the network is fed in a step; the same for the same step. */
  readonly feeds: (step: number) => Readonly<Record<string, Tensor>> | Promise<Readonly<Record<string, Tensor>>>
  /** Where progress is kept, so that a training that was cut off goes on. */
  readonly progressFile?: string
  readonly onStep?: (step: number, loss: number, reported: Readonly<Record<string, number>>) => void
  readonly signal?: AbortSignal
}

/** Steps between two writes of the progress. */
const SAVE_EVERY = 200

/**
 * Trains a network from where its progress file left off, or from the beginning.
 * @returns the loss of every step
 * @throws weights.not-finite when a loss or gradient is not finite; cancelled after `signal`, with the progress kept
 */
export async function trainNetwork(trainer: NetworkTrainer, training: NetworkTraining): Promise<number[]> {
  const { stage, steps, learningRate, schedule, feeds, progressFile, onStep, signal } = training
  const progress = progressFile === undefined ? undefined : await loadProgress(progressFile, stage, trainer)
  const losses = [...(progress?.losses ?? [])]
  const save = async (): Promise<void> => {
    if (progressFile !== undefined) await saveProgress(progressFile, stage, trainer, losses)
  }
  while (losses.length < steps) {
    const step = losses.length
    const { loss, reported, gradientNorm } = await trainer.step(await feeds(step), learningRate * learningRateFactor(schedule, step, steps))
    if (!Number.isFinite(loss + gradientNorm)) throw diverged(stage, step)
    losses.push(loss)
    onStep?.(step, loss, reported)
    if (losses.length % SAVE_EVERY === 0) await save()
    if (signal?.aborted === true) {
      await save()
      throw new HalfstepError('cancelled', 'The training was stopped; it goes on from here when it is started again.')
    }
  }
  await save()
  return losses
}

/** Forgets the progress of a training whose result is safe. */
export async function forgetProgress(file: string): Promise<void> {
  await rm(file, { force: true })
}

function diverged(stage: string, step: number): HalfstepError {
  const message = `The training of the ${stage.split(' ')[0]} went out of bounds in step ${step}.`
  return new HalfstepError('weights.not-finite', message, 'Lower its learning rate.', { step })
}
