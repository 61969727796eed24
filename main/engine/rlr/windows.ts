import type { Window } from './walk-back.ts'

/** Cuts the first `count` positions of the chain into consecutive windows of `length`; the last one takes what is left. */
export function partition(count: number, length: number): Window[] {
  const windows: Window[] = []
  for (let first = 0; first < count; first += length) windows.push({ first, last: Math.min(first + length, count) - 1 })
  return windows
}

/** Every window of `length` inside the first `count` positions. */
export function slidingWindows(count: number, length: number): Window[] {
  return Array.from({ length: Math.max(0, count - length + 1) }, (_, first) => ({ first, last: first + length - 1 }))
}

/** How the half-order windows are chosen. */
export type Proposal =
  | { readonly kind: 'uniform' }
  /** By the running norm of each step's gradient: the paper's softmax(norm / temperature), norms scaled to a mean of 1. */
  | { readonly kind: 'gradient-norm'; readonly normPerStep: readonly number[]; readonly temperature: number }
  /** By an emphasis per step, as a chain-of-thought template gives it. */
  | { readonly kind: 'emphasis'; readonly perStep: readonly number[] }

/** No window is ever left without a chance: a proposal is mixed with this much of the uniform one, which keeps weights 1/p bounded. */
const UNIFORM_SHARE = 0.1

/** The probability of each window under a proposal; they sum to 1. */
export function windowProbabilities(windows: readonly Window[], proposal: Proposal): number[] {
  const uniform = 1 / windows.length
  if (proposal.kind === 'uniform') return windows.map(() => uniform)
  const scores = windows.map((window) => scoreOf(window, proposal))
  const sum = scores.reduce((a, b) => a + b, 0)
  if (!(sum > 0) || !Number.isFinite(sum)) return windows.map(() => uniform)
  return scores.map((score) => (1 - UNIFORM_SHARE) * (score / sum) + UNIFORM_SHARE * uniform)
}

function scoreOf({ first, last }: Window, proposal: Exclude<Proposal, { kind: 'uniform' }>): number {
  const perStep = proposal.kind === 'emphasis' ? proposal.perStep : proposal.normPerStep
  const inside = perStep.slice(first, last + 1)
  const average = inside.reduce((a, b) => a + b, 0) / Math.max(1, inside.length)
  if (proposal.kind === 'emphasis') return average
  const typical = perStep.reduce((a, b) => a + b, 0) / Math.max(1, perStep.length)
  return typical > 0 ? Math.exp(average / typical / proposal.temperature) : 1
}

/** One of several things that was drawn, and what its value counts so that the sum over those drawn is unbiased. */
export interface Drawn {
  readonly index: number
  readonly weight: number
}

/**
 * Draws `count` indices without repetition, index i with a chance of π_i = min(1, c p_i) where Σ π_i = count, and weighs each by
 * 1/π_i: systematic sampling (Madow 1949) with the estimator of Horvitz & Thompson (1952). One point per unit of the running sum of
 * π, all at the same distance `u` from its beginning. Draws with repetition, weighed by 1/(count p_i), have the same mean and a
 * variance that remains even when there are as many draws as indices.
 * @param u in [0, 1), the only random number
 */
export function drawWithoutRepetition(probabilities: readonly number[], count: number, u: number): Drawn[] {
  let reached = 0
  return inclusions(probabilities, count).flatMap((inclusion, index) => {
    const next = Math.ceil(reached - u)
    reached += inclusion
    return next + u < reached ? [{ index, weight: 1 / inclusion }] : []
  })
}

/** π_i = min(1, c p_i) with Σ π_i = count; all 1 where there are no more than that. */
function inclusions(probabilities: readonly number[], count: number): number[] {
  const isCertain = probabilities.map(() => false)
  for (;;) {
    const open = probabilities.reduce((sum, p, i) => (isCertain[i] === true ? sum : sum + p), 0)
    const scale = (count - isCertain.filter(Boolean).length) / open
    const further = probabilities.flatMap((p, i) => (isCertain[i] === false && p > 0 && scale * p >= 1 ? [i] : []))
    // Each time some are certain the others' share grows, so that more may become so.
    if (further.length === 0) return probabilities.map((p, i) => (isCertain[i] === true ? 1 : open > 0 ? scale * p : 0))
    for (const i of further) isCertain[i] = true
  }
}
