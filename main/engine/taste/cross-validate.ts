import { Random } from '../random/random.ts'
import { proportion, type Proportion } from '../statistics/proportion.ts'
import { dot, fitBradleyTerry, type Comparison } from './bradley-terry.ts'

/** More folds leave more comparisons to learn from; each costs a fit. */
const MOST_FOLDS = 30
/** What is learned from fewer is no measure of what is learned from all. */
const LEAST_LEARNED = 5

/**
 * How often a score learned from other comparisons foretells a choice, with Wilson's 95 % interval. k-fold, and stricter: a fold's
 * score has seen none of the things that the fold compares, since training asks it of pictures it has never seen. Comparisons without
 * a choice are learned from, but cannot be foretold.
 */
export function crossValidate(things: readonly Float64Array[], comparisons: readonly Comparison[]): Proportion {
  const order = new Random(0).permutation('shuffle', [0], comparisons.length)
  const folds = Math.min(MOST_FOLDS, comparisons.length)
  let right = 0
  let trials = 0
  for (let fold = 0; fold < folds; fold++) {
    const held = order.filter((_, place) => place % folds === fold).map((n) => comparisons[n]!)
    const seen = new Set(held.flatMap(({ first, second }) => [first, second]))
    const learned = comparisons.filter(({ first, second }) => !seen.has(first) && !seen.has(second))
    const decided = held.filter(({ outcome }) => outcome !== 0.5)
    if (decided.length === 0 || learned.length < LEAST_LEARNED) continue
    const weights = fitBradleyTerry(things, learned)
    const scores = things.map((thing) => dot(weights, thing))
    trials += decided.length
    right += decided.filter(({ first, second, outcome }) => (scores[first]! - scores[second]!) * (outcome - 0.5) > 0).length
  }
  return proportion(right, trials)
}
