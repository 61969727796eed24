import { elementCount } from '../../tensor/shape.ts'
import type { DType } from '../../tensor/dtype.ts'
import type { Scope, Value } from '../../graph/graph.ts'
import { cast, exp, mean, mul, reciprocal, reshape, scale, shift, sqrt, sub, sum } from '../../graph/ops/index.ts'
import { rule, type RuleTable } from '../rule.ts'

export const normalizationRules: RuleTable<'LayerNormalization' | 'InstanceNormalization' | 'Softmax' | 'LogSoftmax'> = {
  LayerNormalization: rule(({ g, dy, wants, input, node }) => {
    const { axis, epsilon } = node.attributes
    const axes = [...dy.shape.keys()].slice(axis)
    const others = [...dy.shape.keys()].slice(0, axis)
    const { normal, deviation } = standardize(g, input(0), axes, epsilon)
    const upstream = cast(g, dy, 'float32')
    const gradient = () => normGradient(g, mul(g, upstream, cast(g, input(1), 'float32')), normal, deviation, axes)
    return inOwnType(g, dy.dtype, [
      wants(0) ? gradient() : undefined,
      wants(1) ? sum(g, mul(g, upstream, normal), others) : undefined,
      node.inputs[2] !== undefined && wants(2) ? sum(g, upstream, others) : undefined,
    ])
  }),
  InstanceNormalization: rule(({ g, dy, wants, input, node }) => {
    const axes = [...dy.shape.keys()].slice(2)
    const others = [0, ...axes]
    const { normal, deviation } = standardize(g, input(0), axes, node.attributes.epsilon)
    const upstream = cast(g, dy, 'float32')
    const perChannel = () => reshape(g, cast(g, input(1), 'float32'), [dy.shape[1] ?? 0, ...axes.map(() => 1)])
    return inOwnType(g, dy.dtype, [
      wants(0) ? normGradient(g, mul(g, upstream, perChannel()), normal, deviation, axes) : undefined,
      wants(1) ? sum(g, mul(g, upstream, normal), others) : undefined,
      wants(2) ? sum(g, upstream, others) : undefined,
    ])
  }),
  // y = softmax(x):  dx = y (dy − Σ dy y)
  Softmax: rule(({ g, dy, output, node }) => {
    const y = output()
    return [mul(g, y, sub(g, dy, sum(g, mul(g, dy, y), [node.attributes.axis], true)))]
  }),
  // y = log softmax(x):  dx = dy − exp(y) Σ dy
  LogSoftmax: rule(({ g, dy, output, node }) => [sub(g, dy, mul(g, exp(g, output()), sum(g, dy, [node.attributes.axis], true)))]),
}

/** x̂ = (x − mean) / s and 1/s with s = √(variance + ε), in float32: half precision cannot hold these sums. */
function standardize(g: Scope, x: Value, axes: readonly number[], epsilon: number): { normal: Value; deviation: Value } {
  const wide = cast(g, x, 'float32')
  const centred = sub(g, wide, mean(g, wide, axes, true))
  const variance = mean(g, mul(g, centred, centred), axes, true)
  const deviation = reciprocal(g, sqrt(g, shift(g, variance, epsilon)))
  return { normal: mul(g, centred, deviation), deviation }
}

/** x̂ = (x − mean)/s:  dx = (u − mean(u) − x̂ · mean(u x̂)) / s for the upstream gradient u of x̂. */
function normGradient(g: Scope, u: Value, normal: Value, deviation: Value, axes: readonly number[]): Value {
  const count = elementCount(axes.map((axis) => u.shape[axis] ?? 1))
  const average = (x: Value): Value => scale(g, sum(g, x, axes, true), 1 / count)
  return mul(g, deviation, sub(g, sub(g, u, average(u)), mul(g, normal, average(mul(g, u, normal)))))
}

function inOwnType(g: Scope, dtype: DType, gradients: readonly (Value | undefined)[]): (Value | undefined)[] {
  return gradients.map((gradient) => gradient && cast(g, gradient, dtype))
}
