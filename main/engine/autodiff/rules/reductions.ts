import { elementCount } from '../../tensor/shape.ts'
import type { Scope, Value } from '../../graph/graph.ts'
import type { ReductionOperator } from '../../graph/ops/reductions.ts'
import { cast, compare, div, expand, mul, reshape, scale, sum } from '../../graph/ops/index.ts'
import { noGradient, rule, type RuleContext, type RuleTable } from '../rule.ts'

export const reductionRules: RuleTable<ReductionOperator | 'ArgMax'> = {
  // Every element that was summed gets the gradient of the sum.
  ReduceSum: rule((c) => [expand(c.g, kept(c, c.dy), c.node.inputs[0]?.shape ?? [])]),
  // y = Σ x / n:  dx = dy / n
  ReduceMean: rule((c) => {
    const shape = c.node.inputs[0]?.shape ?? []
    const count = elementCount(shape) / elementCount(c.dy.shape)
    return [expand(c.g, scale(c.g, kept(c, c.dy), 1 / count), shape)]
  }),
  ReduceMax: rule((c) => [toExtremes(c)]),
  ReduceMin: rule((c) => [toExtremes(c)]),
  ArgMax: noGradient,
}

/** The elements equal to the extreme share its gradient evenly, as in PyTorch's amax and amin. */
function toExtremes(c: RuleContext<'ReduceMax'> | RuleContext<'ReduceMin'>): Value {
  const { g, dy } = c
  const equal = cast(g, compare(g, 'Equal', c.input(0), kept(c, c.output())), dy.dtype)
  return mul(g, equal, div(g, kept(c, dy), sum(g, equal, c.node.attributes.axes, true)))
}

/** A result with the reduced axes put back at size 1. */
function kept(c: { readonly g: Scope; readonly node: RuleContext<ReductionOperator>['node'] }, value: Value): Value {
  const shape = c.node.inputs[0]?.shape ?? []
  return reshape(
    c.g,
    value,
    shape.map((size, axis) => (c.node.attributes.axes.includes(axis) ? 1 : size)),
  )
}
