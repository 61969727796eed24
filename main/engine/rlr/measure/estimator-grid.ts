import { HalfstepError } from '../../errors.ts'
import { createAlgorithm, type AlgorithmSettings, type ChainFacts } from '../algorithm.ts'

/** An estimator to be measured. */
export interface Candidate {
  readonly label: string
  readonly settings: AlgorithmSettings
}

type Rlr = Extract<AlgorithmSettings, { kind: 'rlr' }>

/** The paper's RLR with windows of one step. */
export const PAPER: Rlr = {
  kind: 'rlr',
  firstOrderDepth: 1,
  windowLength: 1,
  windows: 1,
  coverage: 'zeroth-order',
  proposal: { kind: 'uniform' },
  zerothOrder: { form: 'antithetic', mu: 0.01, pairs: 1 },
  firstOrderWeight: 1,
  baseline: 'leave-one-out',
}

const LENGTHS = [1, 2, 4, 8] as const
/** VJPs that windows share out: h = 1 takes eight windows, h = 8 takes one. */
const WINDOW_BUDGET = 8
/** Windows of one step beside a first order that goes through most of the chain. */
const DEEP_WINDOWS = 2

/**
 * The estimators to choose from on a chain, ground truth first: RLR with windows of 1, 2, 4 and 8 steps under every coverage, with
 * deeper first orders and other baselines and proposals, and its peers. What the chain or the reward does not allow is left out.
 * @param own the recipe's; it comes first among the rest
 */
export function estimatorGrid(facts: ChainFacts, own?: AlgorithmSettings): Candidate[] {
  const base: Rlr = facts.differentiable ? PAPER : { ...PAPER, firstOrderDepth: 0 }
  const steps = facts.coefficients.length
  // At the chain's length it is full backpropagation.
  const depths = facts.differentiable ? [2, 4].filter((depth) => depth < steps) : []
  // Through half of the chain, and through all but the two steps next to the noise, which windows take.
  const deep = facts.differentiable ? [...new Set([Math.floor(steps / 2), steps - DEEP_WINDOWS])].filter((depth) => depth > 0) : []
  const importance = (windowLength: number, changes: Partial<Rlr> = {}): Rlr => ({
    ...base,
    coverage: 'importance',
    windowLength,
    windows: WINDOW_BUDGET / windowLength,
    ...changes,
  })
  const candidates: Candidate[] = [
    { label: 'full', settings: { kind: 'full' } },
    ...(own === undefined ? [] : [{ label: 'the recipe\'s', settings: own }]),
    ...LENGTHS.map((h) => ({ label: `rlr, zeroth order, h = ${h}`, settings: { ...base, windowLength: h } })),
    { label: 'rlr, zeroth order per step, h = 1', settings: { ...base, zerothOrder: { ...base.zerothOrder, form: 'per-step' } } },
    ...LENGTHS.map((h) => ({ label: `rlr, importance, h = ${h}, m = ${WINDOW_BUDGET / h}`, settings: importance(h) })),
    { label: 'rlr, importance, h = 2, m = 1', settings: importance(2, { windows: 1 }) },
    {
      label: 'rlr, importance, h = 2, m = 4, by gradient norm',
      settings: importance(2, { proposal: { kind: 'gradient-norm', temperature: 1 } }),
    },
    { label: 'rlr, importance, h = 2, m = 4, learned baseline', settings: importance(2, { baseline: 'learned' }) },
    { label: 'rlr, importance, h = 2, m = 4, no baseline', settings: importance(2, { baseline: 'none' }) },
    ...depths.flatMap((depth) => [
      { label: `rlr, importance, K = ${depth}, h = 2, m = 4`, settings: importance(2, { firstOrderDepth: depth }) },
      { label: `rlr, importance, K = ${depth}, h = 4, m = 2`, settings: importance(4, { firstOrderDepth: depth }) },
    ]),
    ...deep.map((depth) => ({
      label: `rlr, importance, K = ${depth}, h = 1, m = ${DEEP_WINDOWS}`,
      settings: importance(1, { firstOrderDepth: depth, windows: DEEP_WINDOWS }),
    })),
    ...LENGTHS.map((h) => ({ label: `rlr, none, h = ${h}`, settings: { ...base, coverage: 'none' as const, windowLength: h } })),
    { label: 'alignprop, K = 1', settings: { kind: 'alignprop', depth: 1 } },
    { label: 'alignprop, K random', settings: { kind: 'alignprop', depth: 'random' } },
    { label: 'reinforce', settings: { kind: 'reinforce' } },
    { label: 'ddpo', settings: { kind: 'ddpo', clip: 1e-4, innerEpochs: 1 } },
    { label: 'zo', settings: { kind: 'zo', zerothOrder: base.zerothOrder } },
    {
      label: 'public-code',
      settings: { kind: 'public-code', firstOrderWeight: 0.05, halfOrderWeight: 0.001, chainLength: 1, clip: 1e-4 },
    },
  ]
  return candidates.filter(({ settings }) => isPossible(settings, facts))
}

function isPossible(settings: AlgorithmSettings, facts: ChainFacts): boolean {
  try {
    createAlgorithm(settings).assertPossible(facts)
    return true
  } catch (error) {
    if (error instanceof HalfstepError && error.code === 'recipe.impossible') return false
    throw error
  }
}
