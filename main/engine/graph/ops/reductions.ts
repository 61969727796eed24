import type { Scope, Value } from '../graph.ts'
import { normalizeAxis } from './shaping.ts'

export type ReductionOperator = 'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'ReduceMin'

/** Reduces the given axes (all of them by default). */
export function reduce(g: Scope, operator: ReductionOperator, x: Value, axes?: readonly number[], keepDims = false): Value {
  const at = (axes ?? x.shape.map((_, axis) => axis)).map((axis) => normalizeAxis(axis, x.shape.length))
  if (at.length === 0) return x
  return g.emitOne(operator, [x], { axes: at, keepDims }, { dtype: x.dtype, shape: reducedShape(x, at, keepDims) })
}

export const sum = (g: Scope, x: Value, axes?: readonly number[], keepDims = false): Value => reduce(g, 'ReduceSum', x, axes, keepDims)
export const mean = (g: Scope, x: Value, axes?: readonly number[], keepDims = false): Value => reduce(g, 'ReduceMean', x, axes, keepDims)

/** Index of the first largest element along an axis, int64. */
export function argMax(g: Scope, x: Value, axis: number, keepDims = false): Value {
  const at = normalizeAxis(axis, x.shape.length)
  return g.emitOne('ArgMax', [x], { axis: at, keepDims }, { dtype: 'int64', shape: reducedShape(x, [at], keepDims) })
}

function reducedShape(x: Value, axes: readonly number[], keepDims: boolean): number[] {
  return keepDims ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) : x.shape.filter((_, axis) => !axes.includes(axis))
}
