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
