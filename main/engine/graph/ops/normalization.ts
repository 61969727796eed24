import { shapeError, type Scope, type Value } from '../graph.ts'
import { fill } from './constants.ts'
import { add, mul } from './elementwise.ts'
import { normalizeAxis, reshape } from './shaping.ts'

/** (x − mean) / √(variance + ε) · scale + bias over the axes from `axis` on; scale and bias have the shape of those axes. */
export function layerNorm(g: Scope, x: Value, scale: Value, bias: Value | undefined, epsilon: number, axis = -1): Value {
  return g.emitOne('LayerNormalization', [x, scale, bias], { axis: normalizeAxis(axis, x.shape.length), epsilon }, x)
}

/** (x − mean) / √(variance + ε) · scale + bias per sample and channel of x [n, c, ...]; scale and bias are [c]. */
export function instanceNorm(g: Scope, x: Value, scale: Value, bias: Value, epsilon: number): Value {
  if (x.shape.length < 3) throw shapeError(g, 'InstanceNormalization', [x], 'it needs [n, c, …]')
  return g.emitOne('InstanceNormalization', [x, scale, bias], { epsilon }, x)
}

/**
 * Group normalisation (Wu & He 2018) of x [n, c, ...]: each group of c/groups channels is normalised as one, then scaled and
 * shifted per channel by scale and bias [c]. Built from InstanceNormalization, since CUDA has no kernel for the operator itself.
 */
export function groupNorm(g: Scope, x: Value, scale: Value, bias: Value, groups: number, epsilon: number): Value {
  const [batch, channels] = x.shape
  if (batch === undefined || channels === undefined || channels % groups !== 0)
    throw shapeError(g, 'GroupNormalization', [x], `its channels must divide into ${groups} groups`)
  const grouped = reshape(g, x, [batch, groups, -1])
  const normal = instanceNorm(g, grouped, fill(g, x.dtype, [groups], 1), fill(g, x.dtype, [groups], 0), epsilon)
  const perChannel = [channels, ...x.shape.slice(2).map(() => 1)]
  return add(g, mul(g, reshape(g, normal, x.shape), reshape(g, scale, perChannel)), reshape(g, bias, perChannel))
}

/** exp(x) / Σ exp(x) along an axis. */
export function softmax(g: Scope, x: Value, axis = -1): Value {
  return g.emitOne('Softmax', [x], { axis: normalizeAxis(axis, x.shape.length) }, x)
}

export function logSoftmax(g: Scope, x: Value, axis = -1): Value {
  return g.emitOne('LogSoftmax', [x], { axis: normalizeAxis(axis, x.shape.length) }, x)
}
