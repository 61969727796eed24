import { sameShape } from '../../../tensor/shape.ts'
import type { Scope, Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { Importer, NodeContext } from './node-context.ts'
import { spatialAxes } from './windows.ts'

export const normalization: Readonly<Record<string, Importer>> = {
  BatchNormalization: batchNorm,
  InstanceNormalization: (c: NodeContext) => {
    const x = c.input(0)
    spatialAxes(c, x)
    return ops.instanceNorm(c.g, x, perChannel(c, 1), perChannel(c, 2), c.attributes.float('epsilon', 1e-5))
  },
  GroupNormalization: groupNorm,
  LayerNormalization: (c) => layerNorm(c, c.input(0), c.input(1), c.optional(2), 1e-5),
  RMSNormalization: (c) => rmsNorm(c, c.input(0), c.input(1), 1e-5),
  SimplifiedLayerNormalization: (c) => rmsNorm(c, c.input(0), c.input(1), 1e-5),
  MeanVarianceNormalization: meanVarianceNorm,
  LpNormalization: lpNorm,
  Softmax: (c) => flattened(c, ops.softmax),
  LogSoftmax: (c) => flattened(c, ops.logSoftmax),
}

/** (x − mean) / √(variance + ε) · scale + bias with the stored statistics, as x · factor + offset. */
function batchNorm(c: NodeContext): Value {
  const { g } = c
  const x = c.input(0)
  c.require(x.shape.length > 1, 'its input is [n, c, …]')
  if (c.attributes.flag('training_mode') || !c.attributes.flag('spatial', true)) throw c.unsupported('statistics of the batch')
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) => ops.cast(g, perChannel(c, index), x.dtype))
  c.require(scale !== undefined && bias !== undefined && mean !== undefined && variance !== undefined, 'it has four statistics')
  const factor = ops.div(g, scale, ops.sqrt(g, ops.shift(g, variance, c.attributes.float('epsilon', 1e-5))))
  const offset = ops.sub(g, bias, ops.mul(g, mean, factor))
  return ops.add(g, ops.mul(g, x, alongChannels(g, factor, x)), alongChannels(g, offset, x))
}

/** Scale and bias are given per group in opset 18, per channel since 21. */
function groupNorm(c: NodeContext): Value {
  const { g, attributes } = c
  const x = c.input(0)
  spatialAxes(c, x)
  const channels = x.shape[1] ?? 0
  const groups = attributes.int('num_groups', 0)
  c.require(groups > 0 && groups <= 65536 && channels % groups === 0, 'num_groups divides the channels')
  const widened = (index: number): Value => {
    const value = c.input(index)
    if (c.opset >= 21) return perChannel(c, index)
    c.require(sameShape(value.shape, [groups]), 'scale and bias have one number per group')
    return ops.reshape(g, ops.expand(g, ops.reshape(g, value, [groups, 1]), [groups, channels / groups]), [channels])
  }
  return ops.groupNorm(g, x, widened(1), widened(2), groups, attributes.float('epsilon', 1e-5))
}

/** Over the axes from `axis` on; scale and bias broadcast to those. `epsilon` is what the operator takes when the node says nothing. */
export function layerNorm(c: NodeContext, x: Value, scale: Value, bias: Value | undefined, epsilon: number): Value {
  const axis = c.axis(c.attributes.int('axis', -1), x.shape.length)
  const widened = (value: Value): Value => ops.expand(c.g, value, x.shape.slice(axis))
  const [wide, shift] = [widened(scale), bias && widened(bias)]
  const fits = [wide, shift ?? wide].every((value) => sameShape(value.shape, x.shape.slice(axis)))
  c.require(fits, 'scale and bias have the sizes of the normalised axes')
  return ops.layerNorm(c.g, x, wide, shift, c.attributes.float('epsilon', epsilon), axis)
}

/** x / √(mean(x²) + ε) · scale over the axes from `axis` on (Zhang & Sennrich 2019). */
export function rmsNorm(c: NodeContext, x: Value, scale: Value, epsilon: number): Value {
  const { g } = c
  const axis = c.axis(c.attributes.int('axis', -1), x.shape.length)
  const squares = ops.mean(g, ops.mul(g, x, x), [...x.shape.keys()].slice(axis), true)
  const root = ops.sqrt(g, ops.shift(g, squares, c.attributes.float('epsilon', epsilon)))
  return ops.mul(g, ops.div(g, x, root), scale)
}

/** (x − mean) / (√(mean (x − mean)²) + 1e-9) */
function meanVarianceNorm(c: NodeContext): Value {
  const { g } = c
  const x = c.input(0)
  const axes = c.axes(c.attributes.ints('axes') ?? [0, 2, 3], x.shape.length)
  const centred = ops.sub(g, x, ops.mean(g, x, axes, true))
  const deviation = ops.sqrt(g, ops.mean(g, ops.mul(g, centred, centred), axes, true))
  return ops.div(g, centred, ops.shift(g, deviation, 1e-9))
}

/** x / ‖x‖₁ or x / ‖x‖₂ along an axis; zeros stay zeros. */
function lpNorm(c: NodeContext): Value {
  const { g } = c
  const x = c.input(0)
  const axes = [c.axis(c.attributes.int('axis', -1), x.shape.length)]
  const isAbsolute = c.attributes.int('p', 2) === 1
  const norm = isAbsolute ? ops.sum(g, ops.unary(g, 'Abs', x), axes, true) : ops.sqrt(g, ops.sum(g, ops.mul(g, x, x), axes, true))
  const isZero = ops.compare(g, 'Equal', norm, ops.fill(g, x.dtype, [], 0))
  return ops.div(g, x, ops.where(g, isZero, ops.fill(g, x.dtype, [], 1), norm))
}

/** Before opset 13 the operator works on all axes from `axis` on (1 by default) as if they were one; since then on one axis. */
function flattened(c: NodeContext, operator: (g: Scope, x: Value, axis: number) => Value): Value {
  const x = c.input(0)
  const rank = x.shape.length
  if (c.opset >= 13) return operator(c.g, x, c.axis(c.attributes.int('axis', -1), rank))
  const axis = c.axis(c.attributes.int('axis', 1), rank)
  if (axis === rank - 1) return operator(c.g, x, axis)
  const rows = x.shape.slice(0, axis).reduce((a, b) => a * b, 1)
  const columns = x.shape.slice(axis).reduce((a, b) => a * b, 1)
  return ops.reshape(c.g, operator(c.g, ops.reshape(c.g, x, [rows, columns]), 1), x.shape)
}

/** Operand i, one number per channel of the first operand. */
function perChannel(c: NodeContext, index: number): Value {
  const value = c.input(index)
  c.require(sameShape(value.shape, [c.input(0).shape[1] ?? 0]), `operand ${index + 1} has one number per channel`)
  return value
}

function alongChannels(g: Scope, value: Value, x: Value): Value {
  return ops.reshape(g, value, [value.shape[0] ?? 0, ...x.shape.slice(2).map(() => 1)])
}
