import { HalfstepError } from '../errors.ts'
import { GradientAccounting } from './accounting.ts'
import type { Algorithm, AlgorithmState, Apply, ChainFacts, UpdateSummary } from './algorithm.ts'
import { LearnedBaseline } from './learned-baseline.ts'
import { assertRlrPossible, biasOfRlr, rlr, type RlrSettings } from './rlr.ts'
import type { UpdateContext } from './update-context.ts'
import type { Proposal } from './windows.ts'

/** How windows are to be chosen; the running norms that `gradient-norm` goes by are kept by the algorithm itself. */
export type ProposalSettings =
  | { readonly kind: 'uniform' }
  /** The paper's softmax(norm / temperature), norms scaled to a mean of 1. */
  | { readonly kind: 'gradient-norm'; readonly temperature: number }
  /** Emphasis per position, as a chain-of-thought template gives it. */
  | { readonly kind: 'emphasis'; readonly perStep: readonly number[] }

export interface RlrAlgorithmSettings extends Omit<RlrSettings, 'proposal'> {
  readonly proposal: ProposalSettings
}

/** RLR with what it learns on its way: the norm of each step's gradient, and the baseline. */
export class RlrAlgorithm implements Algorithm {
  readonly name = 'rlr'
  readonly #settings: RlrAlgorithmSettings
  #memory: { readonly steps: number; readonly accounting: GradientAccounting; readonly baseline: LearnedBaseline | undefined } | undefined

  constructor(settings: RlrAlgorithmSettings) {
    this.#settings = settings
  }

  get biased(): string | undefined {
    return biasOfRlr(this.#withProposal({ kind: 'uniform' }))
  }

  assertPossible(chain: ChainFacts): void {
    assertRlrPossible(this.#withProposal({ kind: 'uniform' }), chain)
    const { proposal } = this.#settings
    if (proposal.kind !== 'emphasis' || proposal.perStep.length === chain.coefficients.length) return
    throw new HalfstepError(
      'recipe.impossible',
      `The emphasis is given for ${proposal.perStep.length} steps, and the chain has ${chain.coefficients.length}.`,
      'Give one number per step.',
    )
  }

  async update(context: UpdateContext, apply: Apply): Promise<UpdateSummary> {
    const { coefficients, reward } = context
    this.assertPossible({ coefficients, differentiable: reward.gradient !== undefined })
    const { accounting, baseline } = this.#memoryOf(coefficients.length)
    const { proposal } = this.#settings
    const settings = this.#withProposal(
      proposal.kind === 'gradient-norm' ? { ...proposal, normPerStep: accounting.normPerStep() } : proposal,
    )
    const { gradient, ...summary } = await rlr(settings, context, baseline)
    accounting.observe(summary.steps)
    await apply(gradient)
    return summary
  }

  state(): AlgorithmState {
    if (this.#memory === undefined) return {}
    const { steps, accounting, baseline } = this.#memory
    return {
      steps: Float64Array.of(steps),
      ...prefixed('accounting', accounting.state()),
      ...(baseline === undefined ? {} : prefixed('baseline', baseline.state())),
    }
  }

  restore(state: AlgorithmState): void {
    this.#memory = undefined
    const [steps] = state.steps ?? []
    if (steps === undefined) return
    const { accounting, baseline } = this.#memoryOf(steps)
    accounting.restore(unprefixed('accounting', state))
    baseline?.restore(unprefixed('baseline', state))
  }

  /** Begins anew when the chain's length changes, as it does between runs only. */
  #memoryOf(steps: number): { readonly accounting: GradientAccounting; readonly baseline: LearnedBaseline | undefined } {
    if (this.#memory?.steps !== steps) {
      const baseline = this.#settings.baseline === 'learned' ? new LearnedBaseline({ steps }) : undefined
      this.#memory = { steps, accounting: new GradientAccounting(steps), baseline }
    }
    return this.#memory
  }

  #withProposal(proposal: Proposal): RlrSettings {
    return { ...this.#settings, proposal }
  }
}

function prefixed(part: string, state: AlgorithmState): AlgorithmState {
  return Object.fromEntries(Object.entries(state).map(([name, values]) => [`${part}.${name}`, values]))
}

function unprefixed(part: string, state: AlgorithmState): AlgorithmState {
  const own = Object.entries(state).filter(([name]) => name.startsWith(`${part}.`))
  return Object.fromEntries(own.map(([name, values]) => [name.slice(part.length + 1), values]))
}
