import type { Scope, Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { Importer, NodeContext } from './node-context.ts'

/** Activation functions, those that the graph has no operator for spelled out. Defaults are those of the ONNX specification. */
export const activations: Readonly<Record<string, Importer>> = {
  Relu: (c) => ops.relu(c.g, c.input(0)),
  LeakyRelu: (c) => ops.leakyRelu(c.g, c.input(0), c.attributes.float('alpha', 0.01)),
  Elu: (c) => ops.elu(c.g, c.input(0), c.attributes.float('alpha', 1)),
  Softplus: (c) => ops.unary(c.g, 'Softplus', c.input(0)),
  // γ x above zero, γ (α eˣ − α) below (Klambauer et al. 2017)
  Selu: (c) =>
    ops.scale(
      c.g,
      ops.elu(c.g, c.input(0), c.attributes.float('alpha', 1.6732632423543772)),
      c.attributes.float('gamma', 1.0507009873554805),
    ),
  // x above zero, α (exp(x/α) − 1) below (Barron 2017)
  Celu: (c: NodeContext) => {
    const alpha = c.attributes.float('alpha', 1)
    return ops.scale(c.g, ops.elu(c.g, ops.scale(c.g, c.input(0), 1 / alpha), 1), alpha)
  },
  HardSigmoid: (c) => hardSigmoid(c.g, c.input(0), c.attributes.float('alpha', 0.2), c.attributes.float('beta', 0.5)),
  // x · clip(x/6 + ½, 0, 1) (Howard et al. 2019)
  HardSwish: (c) => ops.mul(c.g, c.input(0), hardSigmoid(c.g, c.input(0), 1 / 6, 0.5)),
  // x · tanh(log(1 + eˣ)) (Misra 2019)
  Mish: (c) => ops.mul(c.g, c.input(0), ops.tanh(c.g, ops.unary(c.g, 'Softplus', c.input(0)))),
  // x · σ(α x)
  Swish: (c) => ops.mul(c.g, c.input(0), ops.sigmoid(c.g, ops.scale(c.g, c.input(0), c.attributes.float('alpha', 1)))),
  Gelu: (c) => (c.attributes.text('approximate', 'none') === 'tanh' ? ops.geluTanh(c.g, c.input(0)) : ops.gelu(c.g, c.input(0))),
  // x above zero, slope · x below; the slope broadcasts to x
  PRelu: (c) => ops.where(c.g, isAbove(c.g, c.input(0), 0), c.input(0), ops.mul(c.g, c.input(0), c.input(1))),
  // x / (1 + |x|)
  Softsign: (c) => ops.div(c.g, c.input(0), ops.shift(c.g, ops.unary(c.g, 'Abs', c.input(0)), 1)),
  ThresholdedRelu: (c) => ops.where(c.g, isAbove(c.g, c.input(0), c.attributes.float('alpha', 1)), c.input(0), number(c.g, c.input(0), 0)),
  // x + bias below −λ, x − bias above λ, zero between
  Shrink: (c: NodeContext) => {
    const { g } = c
    const x = c.input(0)
    const bias = c.attributes.float('bias', 0)
    const lambda = c.attributes.float('lambd', 0.5)
    const isBelow = ops.compare(g, 'Less', x, number(g, x, -lambda))
    return ops.where(g, isBelow, ops.shift(g, x, bias), ops.where(g, isAbove(g, x, lambda), ops.shift(g, x, -bias), number(g, x, 0)))
  },
}

/** clip(α x + β, 0, 1) */
function hardSigmoid(g: Scope, x: Value, alpha: number, beta: number): Value {
  return ops.clip(g, ops.shift(g, ops.scale(g, x, alpha), beta), 0, 1)
}

function isAbove(g: Scope, x: Value, bound: number): Value {
  return ops.compare(g, 'Greater', x, number(g, x, bound))
}

function number(g: Scope, like: Value, value: number): Value {
  return ops.fill(g, like.dtype, [], value)
}
