import type { StepCoefficients } from '../diffusion/ddim.ts'
import type { Random } from '../random/random.ts'
import type { ChainReward, Denoiser, Parameters } from './denoiser.ts'
import type { ChainNoise } from './rollout.ts'

/** What one update estimates a gradient from: a batch of prompts with their own noise, seen by a denoiser and a reward. */
export interface UpdateContext {
  readonly denoiser: Denoiser
  readonly coefficients: readonly StepCoefficients[]
  readonly reward: ChainReward
  readonly noise: ChainNoise
  /** Which prompt each sample of the batch belongs to; its length is the batch size. */
  readonly groups: readonly number[]
  readonly theta: Parameters
  readonly random: Random
  /** Counts the updates of a run: every draw of this update is made from it. */
  readonly update: number
}

/** How a step's gradient was estimated in an update. */
export type Coverage = 'first-order' | 'half-order' | 'zeroth-order' | 'none'

/** What an update learned about one step. */
export interface StepAccount {
  readonly coverage: Coverage
  /** Norm of the step's own part of the gradient estimate; null where only a sum over steps is known, or nothing. */
  readonly norm: number | null
}

/** An estimate of ∇J, J = E[R] averaged over the batch, and what it was made of. */
export interface GradientEstimate {
  readonly gradient: Parameters
  /** R per sample of the unperturbed rollout. */
  readonly rewards: Float64Array
  readonly steps: readonly StepAccount[]
  /** Network evaluations spent: forward passes and vjps of one batch. */
  readonly cost: { readonly forwards: number; readonly vjps: number }
}

/** A way of estimating the gradient. */
export type Estimator = (context: UpdateContext) => Promise<GradientEstimate>
