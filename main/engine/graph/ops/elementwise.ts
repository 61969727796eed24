import type { DType } from '../../tensor/dtype.ts'
import { broadcastShapes } from '../../tensor/shape.ts'
import { shapeError, type Scope, type Value } from '../graph.ts'
import type { Operator } from '../operators.ts'
import { fill } from './constants.ts'

/** Operators that map each element by itself and need no attribute. */
export type UnaryOperator =
  | 'Abs'
  | 'Neg'
  | 'Exp'
  | 'Log'
  | 'Sqrt'
  | 'Reciprocal'
  | 'Sigmoid'
  | 'Tanh'
  | 'Erf'
  | 'Relu'
  | 'Sin'
  | 'Cos'
  | 'Floor'
  | 'Ceil'
  | 'Round'
  | 'Sign'
  | 'Not'
  | 'Softplus'

/** Operators on two operands that broadcast, giving the operands' own element type. */
export type ArithmeticOperator = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Pow' | 'Max' | 'Min' | 'And' | 'Or'

/** Operators on two operands that broadcast, giving bool. */
export type ComparisonOperator = 'Equal' | 'Greater' | 'GreaterOrEqual' | 'Less' | 'LessOrEqual'

export function unary(g: Scope, operator: UnaryOperator, x: Value): Value {
  return g.emitOne(operator, [x], {}, x)
}

export function arithmetic(g: Scope, operator: ArithmeticOperator, a: Value, b: Value): Value {
  return g.emitOne(operator, [a, b], {}, { dtype: a.dtype, shape: broadcast(g, operator, a, b) })
}

export function compare(g: Scope, operator: ComparisonOperator, a: Value, b: Value): Value {
  return g.emitOne(operator, [a, b], {}, { dtype: 'bool', shape: broadcast(g, operator, a, b) })
}

export const add = (g: Scope, a: Value, b: Value): Value => arithmetic(g, 'Add', a, b)
export const sub = (g: Scope, a: Value, b: Value): Value => arithmetic(g, 'Sub', a, b)
export const mul = (g: Scope, a: Value, b: Value): Value => arithmetic(g, 'Mul', a, b)
export const div = (g: Scope, a: Value, b: Value): Value => arithmetic(g, 'Div', a, b)
export const neg = (g: Scope, x: Value): Value => unary(g, 'Neg', x)
export const exp = (g: Scope, x: Value): Value => unary(g, 'Exp', x)
export const sqrt = (g: Scope, x: Value): Value => unary(g, 'Sqrt', x)
export const reciprocal = (g: Scope, x: Value): Value => unary(g, 'Reciprocal', x)
export const sigmoid = (g: Scope, x: Value): Value => unary(g, 'Sigmoid', x)
export const tanh = (g: Scope, x: Value): Value => unary(g, 'Tanh', x)
export const relu = (g: Scope, x: Value): Value => unary(g, 'Relu', x)

/** x times a plain number. */
export function scale(g: Scope, x: Value, factor: number): Value {
  return factor === 1 ? x : mul(g, x, fill(g, x.dtype, [], factor))
}

/** x plus a plain number. */
export function shift(g: Scope, x: Value, offset: number): Value {
  return offset === 0 ? x : add(g, x, fill(g, x.dtype, [], offset))
}

export function leakyRelu(g: Scope, x: Value, alpha: number): Value {
  return g.emitOne('LeakyRelu', [x], { alpha }, x)
}

export function elu(g: Scope, x: Value, alpha: number): Value {
  return g.emitOne('Elu', [x], { alpha }, x)
}

/** x limited to [min, max]; either bound may be infinite. */
export function clip(g: Scope, x: Value, min: number, max: number): Value {
  return g.emitOne('Clip', [x], { min, max }, x)
}

export function cast(g: Scope, x: Value, to: DType): Value {
  return x.dtype === to ? x : g.emitOne('Cast', [x], { to }, { dtype: to, shape: x.shape })
}

/** a where the condition holds, b elsewhere; all three broadcast. */
export function where(g: Scope, condition: Value, a: Value, b: Value): Value {
  const branches = broadcast(g, 'Where', a, b)
  const shape = broadcastShapes(condition.shape, branches)
  if (shape === undefined || condition.dtype !== 'bool')
    throw shapeError(g, 'Where', [condition, a, b], 'a bool condition must broadcast with both')
  return g.emitOne('Where', [condition, a, b], {}, { dtype: a.dtype, shape })
}

/** SiLU (swish): x · σ(x). */
export function silu(g: Scope, x: Value): Value {
  return mul(g, x, sigmoid(g, x))
}

/** GELU, exact: x · Φ(x) = x/2 · (1 + erf(x/√2)) (Hendrycks & Gimpel 2016). */
export function gelu(g: Scope, x: Value): Value {
  const erf = unary(g, 'Erf', scale(g, x, Math.SQRT1_2))
  return mul(g, scale(g, x, 0.5), shift(g, erf, 1))
}

/** GELU by tanh: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))). */
export function geluTanh(g: Scope, x: Value): Value {
  const cube = mul(g, mul(g, x, x), x)
  const inner = scale(g, add(g, x, scale(g, cube, 0.044715)), Math.sqrt(2 / Math.PI))
  return mul(g, scale(g, x, 0.5), shift(g, tanh(g, inner), 1))
}

/** CLIP's GELU: x · σ(1.702 x). */
export function quickGelu(g: Scope, x: Value): Value {
  return mul(g, x, sigmoid(g, scale(g, x, 1.702)))
}

function broadcast(g: Scope, operator: Operator, a: Value, b: Value): readonly number[] {
  const shape = broadcastShapes(a.shape, b.shape)
  if (shape === undefined) throw shapeError(g, operator, [a, b], 'these shapes do not broadcast')
  if (a.dtype !== b.dtype && operator !== 'Pow') throw shapeError(g, operator, [a, b], 'both must have one element type')
  return shape
}
