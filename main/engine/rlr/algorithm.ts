import type { StepCoefficients } from '../diffusion/ddim.ts'
import type { Parameters } from './denoiser.ts'
import { alignProp, type AlignPropSettings } from './peers/alignprop.ts'
import { ddpo, type DdpoSettings } from './peers/ddpo.ts'
import { full } from './peers/full.ts'
import { publicCode, type PublicCodeSettings } from './peers/public-code.ts'
import { reinforce } from './peers/reinforce.ts'
import { zo } from './peers/zo.ts'
import { RlrAlgorithm, type RlrAlgorithmSettings } from './rlr-algorithm.ts'
import type { GradientEstimate, UpdateContext } from './update-context.ts'
import type { ZerothOrderSettings } from './zeroth-order.ts'

/** Takes one optimizer step along a gradient of J, which is maximised: uphill is plus. Resolves to the parameters after it. */
export type Apply = (gradient: Parameters) => Promise<Parameters>

/** What an update was made of. Its gradients went to `Apply`. */
export type UpdateSummary = Omit<GradientEstimate, 'gradient'>

/** What an algorithm remembers from update to update: part of a checkpoint, exact to the bit. */
export type AlgorithmState = Readonly<Record<string, Float64Array>>

/** A way of training: how one batch becomes one or several optimizer steps. */
export interface Algorithm {
  readonly name: AlgorithmSettings['kind']
  /** Why the mean of its gradient is not ∇J, as one sentence; undefined when it is. */
  readonly biased: string | undefined
  /** Throws `recipe.impossible` when the algorithm does not fit this chain, or needs a gradient that the reward does not have. */
  assertPossible(chain: ChainFacts): void
  /** One update. Calls `apply` in order, each call after the one before has resolved. Throws as `assertPossible` does. */
  update(context: UpdateContext, apply: Apply): Promise<UpdateSummary>
  /** A copy. Empty for an algorithm that remembers nothing. */
  state(): AlgorithmState
  /** Goes back to a state, or to the beginning when it is empty. Throws `run.damaged` when it is not this algorithm's. */
  restore(state: AlgorithmState): void
}

/** What can be known of a chain before it runs. */
export interface ChainFacts {
  readonly coefficients: readonly StepCoefficients[]
  /** Whether the reward has a gradient. */
  readonly differentiable: boolean
}

/** Which algorithm, and with what settings. */
export type AlgorithmSettings =
  | ({ readonly kind: 'rlr' } & RlrAlgorithmSettings)
  | ({ readonly kind: 'ddpo' } & DdpoSettings)
  | ({ readonly kind: 'alignprop' } & AlignPropSettings)
  | { readonly kind: 'reinforce' }
  | { readonly kind: 'zo'; readonly zerothOrder: ZerothOrderSettings }
  | ({ readonly kind: 'public-code' } & PublicCodeSettings)
  | { readonly kind: 'full' }

export function createAlgorithm(settings: AlgorithmSettings): Algorithm {
  switch (settings.kind) {
    case 'rlr':
      return new RlrAlgorithm(settings)
    case 'ddpo':
      return ddpo(settings)
    case 'alignprop':
      return alignProp(settings)
    case 'reinforce':
      return reinforce()
    case 'zo':
      return zo(settings.zerothOrder)
    case 'public-code':
      return publicCode(settings)
    case 'full':
      return full()
  }
}
