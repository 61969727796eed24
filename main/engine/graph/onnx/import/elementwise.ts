import { isFloat } from '../../../tensor/dtype.ts'
import type { Scope, Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import { elementType } from '../read-tensor.ts'
import { importedType } from './imported-type.ts'
import type { Importer, NodeContext } from './node-context.ts'

const unary =
  (operator: ops.UnaryOperator): Importer =>
  (c) =>
    ops.unary(c.g, operator, c.input(0))
const arithmetic =
  (operator: ops.ArithmeticOperator): Importer =>
  (c) =>
    ops.arithmetic(c.g, operator, c.input(0), c.input(1))
const compare =
  (operator: ops.ComparisonOperator): Importer =>
  (c) =>
    ops.compare(c.g, operator, c.input(0), c.input(1))

/** Any number of operands, taken two at a time. */
const variadic = (c: NodeContext, operator: ops.ArithmeticOperator): Value =>
  c.operands().reduce((a, b) => ops.arithmetic(c.g, operator, a, b))

export const elementwise: Readonly<Record<string, Importer>> = {
  Abs: unary('Abs'),
  Neg: unary('Neg'),
  Exp: unary('Exp'),
  Log: unary('Log'),
  Sqrt: unary('Sqrt'),
  Reciprocal: unary('Reciprocal'),
  Sigmoid: unary('Sigmoid'),
  Tanh: unary('Tanh'),
  Erf: unary('Erf'),
  Sin: unary('Sin'),
  Cos: unary('Cos'),
  Floor: unary('Floor'),
  Ceil: unary('Ceil'),
  Round: unary('Round'),
  Sign: unary('Sign'),
  Not: unary('Not'),
  // tan x = sin x / cos x
  Tan: (c) => ops.div(c.g, ops.unary(c.g, 'Sin', c.input(0)), ops.unary(c.g, 'Cos', c.input(0))),
  // sinh x = (eˣ − e⁻ˣ) / 2
  Sinh: (c) => ops.scale(c.g, ops.sub(c.g, ops.exp(c.g, c.input(0)), ops.exp(c.g, ops.neg(c.g, c.input(0)))), 0.5),
  // cosh x = (eˣ + e⁻ˣ) / 2
  Cosh: (c) => ops.scale(c.g, ops.add(c.g, ops.exp(c.g, c.input(0)), ops.exp(c.g, ops.neg(c.g, c.input(0)))), 0.5),
  Add: arithmetic('Add'),
  Sub: arithmetic('Sub'),
  Mul: arithmetic('Mul'),
  Div: arithmetic('Div'),
  Pow: arithmetic('Pow'),
  Mod: modulo,
  And: arithmetic('And'),
  Or: arithmetic('Or'),
  Xor: (c) => ops.unary(c.g, 'Not', ops.compare(c.g, 'Equal', c.input(0), c.input(1))),
  Max: (c) => variadic(c, 'Max'),
  Min: (c) => variadic(c, 'Min'),
  Sum: (c) => variadic(c, 'Add'),
  Mean: (c) => ops.scale(c.g, variadic(c, 'Add'), 1 / c.inputs.length),
  Equal: compare('Equal'),
  Greater: compare('Greater'),
  GreaterOrEqual: compare('GreaterOrEqual'),
  Less: compare('Less'),
  LessOrEqual: compare('LessOrEqual'),
  // NaN is the only number that differs from itself.
  IsNaN: (c) => ops.unary(c.g, 'Not', ops.compare(c.g, 'Equal', c.input(0), c.input(0))),
  IsInf: (c) => {
    if (!c.attributes.flag('detect_negative', true) || !c.attributes.flag('detect_positive', true)) throw c.unsupported('one sign only')
    return ops.compare(c.g, 'Equal', ops.unary(c.g, 'Abs', c.input(0)), ops.fill(c.g, c.input(0).dtype, [], Infinity))
  },
  Where: (c: NodeContext) => {
    c.require(c.input(1).dtype === c.input(2).dtype, 'both branches have one element type')
    return ops.where(c.g, c.input(0), c.input(1), c.input(2))
  },
  Clip: clip,
  Cast: (c) => ops.cast(c.g, c.input(0), castTarget(c)),
  CastLike: (c) => ops.cast(c.g, c.input(0), c.input(1).dtype),
}

function castTarget(c: NodeContext): Value['dtype'] {
  return importedType(elementType(c.attributes.int('to', 0), `the result of ${c.node.output[0] ?? 'Cast'}`, c.file))
}

/** Bounds are attributes before opset 11, then operands; one that is only known at run time becomes a Max or Min. */
function clip(c: NodeContext): Value {
  let x = c.input(0)
  const bound = (attribute: string, index: number, none: number, operator: 'Max' | 'Min'): number => {
    if (c.attributes.has(attribute)) return c.attributes.float(attribute, none)
    const operand = c.optional(index)
    if (operand === undefined) return none
    if (c.known(operand) !== undefined) return c.number(index)
    x = ops.arithmetic(c.g, operator, x, operand)
    return none
  }
  const min = bound('min', 1, -Infinity, 'Max')
  const max = bound('max', 2, Infinity, 'Min')
  return min === -Infinity && max === Infinity ? x : ops.clip(c.g, x, min, max)
}

/** a − b · ⌊a/b⌋ (the sign of b, as in Python), or a − b · trunc(a/b) with fmod (the sign of a, as in C). */
function modulo(c: NodeContext): Value {
  const { g } = c
  const [a, b] = [c.input(0), c.input(1)]
  const quotient = ops.div(g, a, b)
  if (isFloat(a.dtype))
    return ops.sub(g, a, ops.mul(g, b, c.attributes.flag('fmod') ? towardsZero(g, quotient) : ops.unary(g, 'Floor', quotient)))
  // Integer division already goes towards zero; a remainder of the other sign than b's is moved by one b.
  const remainder = ops.sub(g, a, ops.mul(g, b, quotient))
  if (c.attributes.flag('fmod')) return remainder
  const zero = ops.fill(g, a.dtype, [], 0)
  const isNegative = (x: Value): Value => ops.compare(g, 'Less', x, zero)
  const differs = ops.unary(g, 'Not', ops.compare(g, 'Equal', isNegative(remainder), isNegative(b)))
  const isSome = ops.unary(g, 'Not', ops.compare(g, 'Equal', remainder, zero))
  return ops.where(g, ops.arithmetic(g, 'And', differs, isSome), ops.add(g, remainder, b), remainder)
}

function towardsZero(g: Scope, x: Value): Value {
  return ops.mul(g, ops.unary(g, 'Sign', x), ops.unary(g, 'Floor', ops.unary(g, 'Abs', x)))
}
