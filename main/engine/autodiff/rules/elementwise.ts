import { isFloat } from '../../tensor/dtype.ts'
import type { Scope, Value } from '../../graph/graph.ts'
import type { ArithmeticOperator, ComparisonOperator, UnaryOperator } from '../../graph/ops/elementwise.ts'
import {
  add,
  arithmetic,
  cast,
  compare,
  div,
  exp,
  fill,
  mul,
  neg,
  scale,
  shift,
  sigmoid,
  sub,
  unary,
  where,
} from '../../graph/ops/index.ts'
import { noGradient, rule, type RuleContext, type RuleTable } from '../rule.ts'
import { unbroadcast } from '../unbroadcast.ts'

type Elementwise = UnaryOperator | ArithmeticOperator | ComparisonOperator | 'LeakyRelu' | 'Elu' | 'Clip' | 'Cast' | 'Where'

export const elementwiseRules: RuleTable<Elementwise> = {
  // d|x| = sign(x) dx
  Abs: rule(({ g, dy, input }) => [mul(g, dy, unary(g, 'Sign', input(0)))]),
  Neg: rule(({ g, dy }) => [neg(g, dy)]),
  // d exp(x) = y dx
  Exp: rule(({ g, dy, output }) => [mul(g, dy, output())]),
  // d log(x) = dx / x
  Log: rule(({ g, dy, input }) => [div(g, dy, input(0))]),
  // d √x = dx / 2y
  Sqrt: rule(({ g, dy, output }) => [div(g, scale(g, dy, 0.5), output())]),
  // d 1/x = −y² dx
  Reciprocal: rule(({ g, dy, output }) => [neg(g, mul(g, dy, mul(g, output(), output())))]),
  // d σ(x) = y (1 − y) dx
  Sigmoid: rule(({ g, dy, output }) => [mul(g, dy, mul(g, output(), oneMinus(g, output())))]),
  // d tanh(x) = (1 − y²) dx
  Tanh: rule(({ g, dy, output }) => [mul(g, dy, oneMinus(g, mul(g, output(), output())))]),
  // d erf(x) = 2/√π · exp(−x²) dx
  Erf: rule(({ g, dy, input }) => [mul(g, dy, scale(g, exp(g, neg(g, mul(g, input(0), input(0)))), 2 / Math.sqrt(Math.PI)))]),
  // d max(x, 0) = [x > 0] dx
  Relu: rule(({ g, dy, input }) => [where(g, isPositive(g, input(0)), dy, zero(g, dy))]),
  // d sin(x) = cos(x) dx
  Sin: rule(({ g, dy, input }) => [mul(g, dy, unary(g, 'Cos', input(0)))]),
  // d cos(x) = −sin(x) dx
  Cos: rule(({ g, dy, input }) => [neg(g, mul(g, dy, unary(g, 'Sin', input(0))))]),
  // d log(1 + exp(x)) = σ(x) dx
  Softplus: rule(({ g, dy, input }) => [mul(g, dy, sigmoid(g, input(0)))]),
  // slope 1 above zero, α below
  LeakyRelu: rule(({ g, dy, input, node }) => [where(g, isPositive(g, input(0)), dy, scale(g, dy, node.attributes.alpha))]),
  // y = α (exp(x) − 1) below zero, so dy/dx = y + α there
  Elu: rule(({ g, dy, input, output, node }) => [
    where(g, isPositive(g, input(0)), dy, mul(g, dy, shift(g, output(), node.attributes.alpha))),
  ]),
  // slope 1 inside the bounds and on them, 0 outside
  Clip: rule(({ g, dy, input, node: { attributes } }) => {
    let gradient = dy
    const x = input(0)
    const bounded = (operator: ComparisonOperator, bound: number): void => {
      if (Number.isFinite(bound)) gradient = where(g, compare(g, operator, x, fill(g, x.dtype, [], bound)), gradient, zero(g, dy))
    }
    bounded('GreaterOrEqual', attributes.min)
    bounded('LessOrEqual', attributes.max)
    return [gradient]
  }),
  // Rounding to another float type is taken as the identity; integers carry no gradient.
  Cast: rule(({ g, dy, node }) => {
    const dtype = node.inputs[0]?.dtype
    return [dtype !== undefined && isFloat(dtype) ? cast(g, dy, dtype) : undefined]
  }),
  Add: rule((c) =>
    operands(
      c,
      () => c.dy,
      () => c.dy,
    ),
  ),
  Sub: rule((c) =>
    operands(
      c,
      () => c.dy,
      () => neg(c.g, c.dy),
    ),
  ),
  // d(ab) = b da + a db
  Mul: rule((c) =>
    operands(
      c,
      () => mul(c.g, c.dy, c.input(1)),
      () => mul(c.g, c.dy, c.input(0)),
    ),
  ),
  // d(a/b) = da / b − (y / b) db
  Div: rule((c) =>
    operands(
      c,
      () => div(c.g, c.dy, c.input(1)),
      () => neg(c.g, mul(c.g, c.dy, div(c.g, c.output(), c.input(1)))),
    ),
  ),
  // d(aᵇ) = b aᵇ⁻¹ da + y log(a) db
  Pow: rule((c) => {
    const { g, dy, input, output } = c
    const lowered = () => arithmetic(g, 'Pow', input(0), shift(g, input(1), -1))
    return operands(
      c,
      () => mul(g, dy, mul(g, cast(g, input(1), dy.dtype), lowered())),
      () => mul(g, dy, mul(g, output(), unary(g, 'Log', input(0)))),
    )
  }),
  // The larger operand takes the gradient; equal ones share it.
  Max: rule((c) =>
    operands(
      c,
      () => mul(c.g, c.dy, share(c, 'Greater', 0, 1)),
      () => mul(c.g, c.dy, share(c, 'Greater', 1, 0)),
    ),
  ),
  Min: rule((c) =>
    operands(
      c,
      () => mul(c.g, c.dy, share(c, 'Less', 0, 1)),
      () => mul(c.g, c.dy, share(c, 'Less', 1, 0)),
    ),
  ),
  Where: rule((c) => {
    const { g, dy, wants, input, node } = c
    const pick = (index: number, chosen: (condition: Value) => Value): Value | undefined =>
      wants(index) ? unbroadcast(g, chosen(input(0)), node.inputs[index]?.shape ?? []) : undefined
    return [
      undefined,
      pick(1, (condition) => where(g, condition, dy, zero(g, dy))),
      pick(2, (condition) => where(g, condition, zero(g, dy), dy)),
    ]
  }),
  Floor: noGradient,
  Ceil: noGradient,
  Round: noGradient,
  Sign: noGradient,
  Not: noGradient,
  And: noGradient,
  Or: noGradient,
  Equal: noGradient,
  Greater: noGradient,
  GreaterOrEqual: noGradient,
  Less: noGradient,
  LessOrEqual: noGradient,
}

/** The gradients of two broadcast operands, each made only if it is wanted and summed back to its operand's shape. */
function operands<O extends ArithmeticOperator>(c: RuleContext<O>, left: () => Value, right: () => Value): (Value | undefined)[] {
  return [left, right].map((gradient, index) => {
    const operand = c.node.inputs[index]
    return operand !== undefined && c.wants(index) ? unbroadcast(c.g, gradient(), operand.shape) : undefined
  })
}

/** 1 where operand i wins, ½ where both are equal, else 0. */
function share(c: RuleContext<'Max'> | RuleContext<'Min'>, operator: 'Greater' | 'Less', i: number, j: number): Value {
  const { g, dy } = c
  const wins = cast(g, compare(g, operator, c.input(i), c.input(j)), dy.dtype)
  const ties = cast(g, compare(g, 'Equal', c.input(i), c.input(j)), dy.dtype)
  return add(g, wins, scale(g, ties, 0.5))
}

const zero = (g: Scope, like: Value): Value => fill(g, like.dtype, [], 0)
const isPositive = (g: Scope, x: Value): Value => compare(g, 'Greater', x, zero(g, x))
const oneMinus = (g: Scope, x: Value): Value => sub(g, fill(g, x.dtype, [], 1), x)
