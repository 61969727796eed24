import { sameShape, type Shape } from '../tensor/shape.ts'
import type { Scope, Value } from '../graph/graph.ts'
import { reshape, sum } from '../graph/ops/index.ts'

/** The transpose of broadcasting: sums a gradient over every axis along which an operand of this shape was repeated. */
export function unbroadcast(g: Scope, gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient
  const added = gradient.shape.length - shape.length
  const axes = gradient.shape.flatMap((size, axis) => (axis < added || (shape[axis - added] === 1 && size !== 1) ? [axis] : []))
  return reshape(g, axes.length === 0 ? gradient : sum(g, gradient, axes, true), shape)
}
