import type { Scope, Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { Importer, NodeContext } from './node-context.ts'

/** A product is written out factor by factor; more than these are refused. */
const MAX_FACTORS = 256

type Reduction = (g: Scope, x: Value, axes: readonly number[], keepDims: boolean) => Value

export const reductions: Readonly<Record<string, Importer>> = {
  ReduceSum: reduction(ops.sum),
  ReduceMean: reduction(ops.mean),
  ReduceMax: reduction((g, x, axes, keepDims) => ops.reduce(g, 'ReduceMax', x, axes, keepDims)),
  ReduceMin: reduction((g, x, axes, keepDims) => ops.reduce(g, 'ReduceMin', x, axes, keepDims)),
  ReduceL1: reduction((g, x, axes, keepDims) => ops.sum(g, ops.unary(g, 'Abs', x), axes, keepDims)),
  ReduceL2: reduction((g, x, axes, keepDims) => ops.sqrt(g, sumOfSquares(g, x, axes, keepDims))),
  ReduceSumSquare: reduction(sumOfSquares),
  ReduceLogSum: reduction((g, x, axes, keepDims) => ops.unary(g, 'Log', ops.sum(g, x, axes, keepDims))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceProd: (c: NodeContext) => {
    const axes = axesOf(c, c.input(0))
    const factors = axes.reduce((count, axis) => count * (c.input(0).shape[axis] ?? 1), 1)
    if (factors > MAX_FACTORS || factors === 0) throw c.unsupported(`${factors} factors`)
    return product(c.g, c.input(0), axes, c.attributes.flag('keepdims', true))
  },
  ArgMax: (c) => argExtreme(c, c.input(0)),
  ArgMin: (c) => argExtreme(c, ops.neg(c.g, c.input(0))),
}

function reduction(reduce: Reduction): Importer {
  return (c) => reduce(c.g, c.input(0), axesOf(c, c.input(0)), c.attributes.flag('keepdims', true))
}

/** Axes are an attribute, or an operand since opset 13 (ReduceSum) and 18; none means all, or none at all with noop_with_empty_axes. */
function axesOf(c: NodeContext, x: Value): readonly number[] {
  const axes = c.setting('axes', 1) ?? []
  if (axes.length > 0) return c.axes(axes, x.shape.length)
  return c.attributes.flag('noop_with_empty_axes') ? [] : [...x.shape.keys()]
}

function sumOfSquares(g: Scope, x: Value, axes: readonly number[], keepDims: boolean): Value {
  return ops.sum(g, ops.mul(g, x, x), axes, keepDims)
}

/** log Σ exp(x) = m + log Σ exp(x − m) with m = max(x), so that nothing overflows. */
function logSumExp(g: Scope, x: Value, axes: readonly number[], keepDims: boolean): Value {
  const largest = ops.reduce(g, 'ReduceMax', x, axes, true)
  const sum = ops.sum(g, ops.exp(g, ops.sub(g, x, largest)), axes, true)
  const result = ops.add(g, ops.unary(g, 'Log', sum), largest)
  return keepDims ? result : withoutAxes(g, result, axes)
}

function product(g: Scope, x: Value, axes: readonly number[], keepDims: boolean): Value {
  const result = axes.reduce((value, axis) => {
    const factors = ops.split(g, value, new Array<number>(value.shape[axis] ?? 0).fill(1), axis)
    return factors.reduce((a, b) => ops.mul(g, a, b))
  }, x)
  return keepDims ? result : withoutAxes(g, result, axes)
}

function withoutAxes(g: Scope, x: Value, axes: readonly number[]): Value {
  return ops.reshape(
    g,
    x,
    x.shape.filter((_, axis) => !axes.includes(axis)),
  )
}

function argExtreme(c: NodeContext, x: Value): Value {
  if (c.attributes.flag('select_last_index')) throw c.unsupported('select_last_index')
  return ops.argMax(c.g, x, c.axis(c.attributes.int('axis', 0), x.shape.length), c.attributes.flag('keepdims', true))
}
