import { Graph, type Scope, type Value } from '../../../main/engine/graph/graph.ts'
import type { Operator } from '../../../main/engine/graph/operators.ts'
import * as ops from '../../../main/engine/graph/ops/index.ts'
import type { DType } from '../../../main/engine/tensor/dtype.ts'
import type { Shape } from '../../../main/engine/tensor/shape.ts'

type Build = (g: Scope, input: (shape: Shape, dtype?: DType) => Value) => Value

const unary = (operator: ops.UnaryOperator): Build => (g, input) => ops.unary(g, operator, input([4, 8]))
const arithmetic = (operator: ops.ArithmeticOperator, dtype: DType = 'float32'): Build => (g, input) =>
  ops.arithmetic(g, operator, input([4, 8], dtype), input([4, 8], dtype))
const compare = (operator: ops.ComparisonOperator): Build => (g, input) => ops.compare(g, operator, input([4, 8]), input([4, 8]))
const reduce = (operator: ops.ReductionOperator): Build => (g, input) => ops.reduce(g, operator, input([4, 8]), [1])
const weight = (g: Scope, shape: Shape): Value => ops.fill(g, 'float32', shape, 0.5)

/** The smallest graph around each operator, on the element types our models use. */
const BUILDS: { readonly [O in Operator]: Build } = {
  Abs: unary('Abs'),
  Neg: unary('Neg'),
  Exp: unary('Exp'),
  Log: unary('Log'),
  Sqrt: unary('Sqrt'),
  Reciprocal: unary('Reciprocal'),
  Sigmoid: unary('Sigmoid'),
  Tanh: unary('Tanh'),
  Erf: unary('Erf'),
  Relu: unary('Relu'),
  Sin: unary('Sin'),
  Cos: unary('Cos'),
  Floor: unary('Floor'),
  Ceil: unary('Ceil'),
  Round: unary('Round'),
  Sign: unary('Sign'),
  Not: (g, input) => ops.unary(g, 'Not', input([4, 8], 'bool')),
  Softplus: unary('Softplus'),
  LeakyRelu: (g, input) => ops.leakyRelu(g, input([4, 8]), 0.1),
  Elu: (g, input) => ops.elu(g, input([4, 8]), 1),
  Clip: (g, input) => ops.clip(g, input([4, 8]), -1, 1),
  Cast: (g, input) => ops.cast(g, input([4, 8], 'int32'), 'float32'),
  Add: arithmetic('Add'),
  Sub: arithmetic('Sub'),
  Mul: arithmetic('Mul'),
  Div: arithmetic('Div'),
  Pow: arithmetic('Pow'),
  Max: arithmetic('Max'),
  Min: arithmetic('Min'),
  Equal: compare('Equal'),
  Greater: compare('Greater'),
  GreaterOrEqual: compare('GreaterOrEqual'),
  Less: compare('Less'),
  LessOrEqual: compare('LessOrEqual'),
  And: arithmetic('And', 'bool'),
  Or: arithmetic('Or', 'bool'),
  Where: (g, input) => ops.where(g, input([4, 8], 'bool'), input([4, 8]), input([4, 8])),
  MatMul: (g, input) => ops.matMul(g, input([4, 8]), input([8, 4])),
  Gemm: (g, input) => ops.gemm(g, input([4, 8]), weight(g, [4, 8]), undefined, { transB: true }),
  Conv: (g, input) => ops.conv(g, input([1, 4, 8, 8]), weight(g, [8, 4, 3, 3])),
  ConvTranspose: (g, input) => ops.convTranspose(g, input([1, 4, 8, 8]), weight(g, [4, 8, 3, 3])),
  MaxPool: (g, input) => ops.maxPool(g, input([1, 4, 8, 8]), [2, 2]),
  AveragePool: (g, input) => ops.averagePool(g, input([1, 4, 8, 8]), [2, 2]),
  Resize: (g, input) => ops.resize(g, input([1, 4, 8, 8]), [16, 16], 'nearest'),
  LayerNormalization: (g, input) => ops.layerNorm(g, input([4, 8]), weight(g, [8]), weight(g, [8]), 1e-5),
  InstanceNormalization: (g, input) => ops.instanceNorm(g, input([1, 4, 8]), weight(g, [4]), weight(g, [4]), 1e-5),
  Softmax: (g, input) => ops.softmax(g, input([4, 8]), -1),
  LogSoftmax: (g, input) => ops.logSoftmax(g, input([4, 8]), -1),
  ReduceSum: reduce('ReduceSum'),
  ReduceMean: reduce('ReduceMean'),
  ReduceMax: reduce('ReduceMax'),
  ReduceMin: reduce('ReduceMin'),
  ArgMax: (g, input) => ops.argMax(g, input([4, 8]), 1),
  Reshape: (g, input) => ops.reshape(g, input([4, 8]), [8, 4]),
  Transpose: (g, input) => ops.transpose(g, input([4, 8]), [1, 0]),
  Expand: (g, input) => ops.expand(g, input([1, 8]), [4, 8]),
  Tile: (g, input) => ops.tile(g, input([4, 8]), [2, 1]),
  Concat: (g, input) => ops.concat(g, [input([4, 8]), input([4, 8])], 0),
  Slice: (g, input) => ops.slice(g, input([4, 8]), [1], [2], [6]),
  Pad: (g, input) => ops.pad(g, input([4, 8]), [0, 1, 0, 1]),
  Gather: (g, input) => ops.gather(g, input([4, 8]), input([3], 'int64')),
  If: (g, input) => {
    const x = input([4, 8])
    const then = g.branch('then')
    const otherwise = g.branch('else')
    then.region.results.push(ops.scale(then, x, 2))
    otherwise.region.results.push(ops.scale(otherwise, x, 3))
    const [y] = ops.branch(g, input([1], 'bool'), then.region, otherwise.region)
    return y ?? x
  },
}

export const OPERATORS = Object.keys(BUILDS) as Operator[]

/** A graph whose only computation is this operator, with its operands as inputs. */
export function oneNodeGraph(operator: Operator): Graph {
  const graph = new Graph()
  let count = 0
  const input = (shape: Shape, dtype: DType = 'float32') => graph.input(`x${count++}`, dtype, shape)
  graph.output('y', BUILDS[operator](graph.scope, input))
  return graph
}
