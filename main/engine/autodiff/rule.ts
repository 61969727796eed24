import type { NodeOf, Scope, Value } from '../graph/graph.ts'
import type { Operator } from '../graph/operators.ts'

/** What a rule sees of the node it differentiates. */
export interface RuleContext<O extends Operator> {
  /** Where the gradient is built. */
  readonly g: Scope
  readonly node: NodeOf<O>
  /** Upstream gradient dL/dy of the node's output y, of the output's shape. */
  readonly dy: Value
  /** Whether the gradient of operand i is needed; a rule may leave out the others. */
  wants(index: number): boolean
  /** Operand i as a value that can be used in `g`; recomputed if need be, so ask only for what the formula needs. */
  input(index: number): Value
  /** The node's output y, likewise. */
  output(): Value
}

/** The gradients dL/dx of the operands, in their order and of their shapes; undefined where none was wanted. */
export type Rule<O extends Operator> = (context: RuleContext<O>) => readonly (Value | undefined)[]

/** What differentiation knows of an operator. */
export type RuleEntry<O extends Operator> =
  | { readonly kind: 'rule'; readonly apply: Rule<O> }
  /** Its output does not move with its operands (almost everywhere): nothing flows back. */
  | { readonly kind: 'no-gradient' }
  | { readonly kind: 'not-differentiable'; readonly reason: string }

/** Entries for a group of operators; leaving one out does not compile. */
export type RuleTable<O extends Operator> = { readonly [Key in O]: RuleEntry<Key> }

export function rule<O extends Operator>(apply: Rule<O>): RuleEntry<O> {
  return { kind: 'rule', apply }
}

export const noGradient = { kind: 'no-gradient' } as const
