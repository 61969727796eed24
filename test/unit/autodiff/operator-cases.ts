import * as ops from '../../../main/engine/graph/ops/index.ts'
import type { Operator } from '../../../main/engine/graph/operators.ts'
import { spread, type JacobianCase } from './jacobian.ts'

type Build = JacobianCase['build']
export type Cases = readonly (readonly [what: string, at: JacobianCase['at'], build: Build])[]

const unary = (operator: ops.UnaryOperator, low = -1.4, high = 1.6): Cases => [
  ['a vector', [spread([7], low, high)], (g, x) => ops.unary(g, operator, x)],
  ['a matrix', [spread([3, 4], low, high)], (g, x) => ops.unary(g, operator, x)],
  ['a scalar', [spread([], low, high)], (g, x) => ops.unary(g, operator, x)],
]

const binary = (operator: ops.ArithmeticOperator, low = -1.4, high = 1.6): Cases => {
  const build: Build = (g, a, b) => ops.arithmetic(g, operator, a, b)
  const pair = (a: number[], b: number[]) => [spread(a, low, high, 1), spread(b, low + 0.03, high + 0.03, 2)]
  return [
    ['equal shapes', pair([2, 3], [2, 3]), build],
    ['a row against a matrix', pair([2, 3], [3]), build],
    ['a column against a row', pair([3, 1], [1, 4]), build],
    ['a scalar on the left', pair([], [2, 2]), build],
    ['new leading axes', pair([2, 1, 3], [4, 1]), build],
  ]
}

/** Cases for every operator that has a rule; leaving one out does not compile. */
export const OPERATOR_CASES: { readonly [O in Operator]: Cases | 'no gradient' } = {
  Abs: unary('Abs'),
  Neg: unary('Neg'),
  Exp: unary('Exp'),
  Log: unary('Log', 0.5, 2),
  Sqrt: unary('Sqrt', 0.5, 2),
  Reciprocal: unary('Reciprocal', 0.6, 2),
  Sigmoid: unary('Sigmoid'),
  Tanh: unary('Tanh'),
  Erf: unary('Erf'),
  Relu: unary('Relu'),
  Sin: unary('Sin'),
  Cos: unary('Cos'),
  Softplus: unary('Softplus'),
  LeakyRelu: [['a matrix', [spread([3, 4])], (g, x) => ops.leakyRelu(g, x, 0.2)]],
  Elu: [['a matrix', [spread([3, 4])], (g, x) => ops.elu(g, x, 0.7)]],
  Clip: [
    ['both bounds', [spread([10])], (g, x) => ops.clip(g, x, -0.8, 0.9)],
    ['a lower bound', [spread([10])], (g, x) => ops.clip(g, x, -0.8, Infinity)],
    ['an upper bound', [spread([10])], (g, x) => ops.clip(g, x, -Infinity, 0.9)],
  ],
  Cast: [['to double and back', [spread([5])], (g, x) => ops.cast(g, ops.cast(g, x, 'float64'), 'float32')]],
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div', 0.6, 2),
  Pow: binary('Pow', 0.5, 2),
  Max: binary('Max'),
  Min: binary('Min'),
  Where: [
    ['equal shapes', [spread([6]), spread([6], -1, 1, 2)], (g, a, b) => ops.where(g, ops.compare(g, 'Less', a, b), a, ops.mul(g, b, b))],
    [
      'a broadcast condition',
      [spread([2, 3]), spread([3], -1, 1.3, 2)],
      (g, a, b) => ops.where(g, ops.compare(g, 'Less', b, ops.fill(g, 'float32', [], 0)), a, b),
    ],
  ],
  MatMul: [
    ['matrices', [spread([2, 3]), spread([3, 4], -1, 1, 2)], ops.matMul],
    ['batches', [spread([2, 2, 3]), spread([2, 3, 2], -1, 1, 2)], ops.matMul],
    ['a batch against a matrix', [spread([3, 2, 3]), spread([3, 2], -1, 1, 2)], ops.matMul],
    ['broadcast batches', [spread([2, 1, 2, 3]), spread([3, 3, 2], -1, 1, 2)], ops.matMul],
  ],
  Gemm: [false, true].flatMap((transA) =>
    [false, true].map((transB) => {
      const at = [spread(transA ? [3, 2] : [2, 3]), spread(transB ? [4, 3] : [3, 4], -1, 1, 2), spread(transA ? [4] : [2, 4], -1, 1, 3)]
      const build: Build = (g, a, b, c) => ops.gemm(g, a, b, c, { alpha: 0.7, beta: 1.3, transA, transB })
      return [`A${transA ? 'ᵀ' : ''} B${transB ? 'ᵀ' : ''} + C`, at, build] as const
    }),
  ),
  Conv: [
    [
      '3×3 with bias',
      [spread([2, 2, 4, 3]), spread([3, 2, 3, 3], -1, 1, 2), spread([3])],
      (g, x, w, b) => ops.conv(g, x, w, b, { pads: [1, 1, 1, 1] }),
    ],
    ['1×1', [spread([1, 3, 2, 2]), spread([2, 3, 1, 1], -1, 1, 2)], (g, x, w) => ops.conv(g, x, w)],
    [
      'stride 2, uneven pads',
      [spread([1, 2, 5, 6]), spread([2, 2, 3, 3], -1, 1, 2)],
      (g, x, w) => ops.conv(g, x, w, undefined, { strides: [2, 2], pads: [0, 0, 1, 1] }),
    ],
    [
      'stride that leaves a rest',
      [spread([1, 1, 6, 6]), spread([1, 1, 3, 3], -1, 1, 2)],
      (g, x, w) => ops.conv(g, x, w, undefined, { strides: [2, 2] }),
    ],
    ['dilation', [spread([1, 1, 5, 5]), spread([2, 1, 2, 2], -1, 1, 2)], (g, x, w) => ops.conv(g, x, w, undefined, { dilations: [2, 2] })],
    ['groups', [spread([2, 4, 3, 3]), spread([6, 2, 2, 2], -1, 1, 2)], (g, x, w) => ops.conv(g, x, w, undefined, { group: 2 })],
    [
      'one axis',
      [spread([2, 2, 6]), spread([3, 2, 3], -1, 1, 2)],
      (g, x, w) => ops.conv(g, x, w, undefined, { pads: [1, 1], strides: [2] }),
    ],
  ],
  ConvTranspose: [
    [
      '3×3 with bias',
      [spread([2, 2, 3, 3]), spread([2, 3, 3, 3], -1, 1, 2), spread([3])],
      (g, x, w, b) => ops.convTranspose(g, x, w, b, { pads: [1, 1, 1, 1] }),
    ],
    [
      'stride 2 with output padding',
      [spread([1, 2, 3, 2]), spread([2, 2, 3, 3], -1, 1, 2)],
      (g, x, w) => ops.convTranspose(g, x, w, undefined, { strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 1] }),
    ],
    ['groups', [spread([1, 4, 2, 2]), spread([4, 2, 2, 2], -1, 1, 2)], (g, x, w) => ops.convTranspose(g, x, w, undefined, { group: 2 })],
  ],
  MaxPool: [
    ['2×2', [spread([1, 2, 4, 4])], (g, x) => ops.maxPool(g, x, [2, 2], { strides: [2, 2] })],
    ['overlapping 3×3 with pads', [spread([2, 1, 5, 4])], (g, x) => ops.maxPool(g, x, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] })],
    ['a rest that no window reaches', [spread([1, 1, 5, 7])], (g, x) => ops.maxPool(g, x, [2, 2], { strides: [3, 3] })],
  ],
  AveragePool: [
    ['2×2', [spread([1, 2, 4, 4])], (g, x) => ops.averagePool(g, x, [2, 2], { strides: [2, 2] })],
    ['3×3, padding left out', [spread([1, 1, 4, 5])], (g, x) => ops.averagePool(g, x, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] })],
    [
      '3×3, padding counted',
      [spread([1, 1, 4, 4])],
      (g, x) => ops.averagePool(g, x, [3, 3], { pads: [1, 1, 1, 1], countIncludePad: true }),
    ],
  ],
  Resize: [
    ['nearest ×2', [spread([1, 2, 3, 2])], (g, x) => ops.resize(g, x, [6, 4], 'nearest')],
    ['nearest to an odd size', [spread([1, 1, 3, 3])], (g, x) => ops.resize(g, x, [5, 4], 'nearest')],
    ['linear ×2', [spread([1, 1, 3, 2])], (g, x) => ops.resize(g, x, [6, 4], 'linear')],
    ['linear down', [spread([1, 1, 5, 4])], (g, x) => ops.resize(g, x, [3, 3], 'linear')],
  ],
  LayerNormalization: [
    ['last axis', [spread([3, 5]), spread([5], 0.5, 1.5, 2), spread([5])], (g, x, s, b) => ops.layerNorm(g, x, s, b, 1e-5)],
    ['two axes, no bias', [spread([2, 2, 3]), spread([2, 3], 0.5, 1.5, 2)], (g, x, s) => ops.layerNorm(g, x, s, undefined, 1e-5, 1)],
  ],
  InstanceNormalization: [
    ['pictures', [spread([2, 2, 2, 3]), spread([2], 0.5, 1.5, 2), spread([2])], (g, x, s, b) => ops.instanceNorm(g, x, s, b, 1e-5)],
    [
      'groups of channels',
      [spread([2, 4, 2, 2]), spread([4], 0.5, 1.5, 2), spread([4])],
      (g, x, s, b) => ops.groupNorm(g, x, s, b, 2, 1e-5),
    ],
  ],
  Softmax: [
    ['last axis', [spread([3, 4])], (g, x) => ops.softmax(g, x)],
    ['middle axis', [spread([2, 3, 2])], (g, x) => ops.softmax(g, x, 1)],
  ],
  LogSoftmax: [['last axis', [spread([3, 4])], (g, x) => ops.logSoftmax(g, x)]],
  ReduceSum: reductions('ReduceSum'),
  ReduceMean: reductions('ReduceMean'),
  ReduceMax: reductions('ReduceMax'),
  ReduceMin: reductions('ReduceMin'),
  Reshape: [['flatten', [spread([2, 3])], (g, x) => ops.mul(g, ops.reshape(g, x, [6]), ops.reshape(g, x, [6]))]],
  Transpose: [['three axes', [spread([2, 3, 2])], (g, x) => ops.transpose(g, x, [2, 0, 1])]],
  Expand: [['old and new axes', [spread([3, 1])], (g, x) => ops.expand(g, x, [2, 3, 2])]],
  Tile: [['both axes', [spread([2, 3])], (g, x) => ops.tile(g, x, [2, 3])]],
  Concat: [
    ['two operands', [spread([2, 1]), spread([2, 3], -1, 1, 2)], (g, a, b) => ops.concat(g, [a, b], 1)],
    ['one operand twice', [spread([2, 2])], (g, x) => ops.concat(g, [x, x], 0)],
  ],
  Slice: [
    ['a part', [spread([3, 5])], (g, x) => ops.slice(g, x, [1], [1], [4])],
    ['two axes from the end', [spread([4, 5])], (g, x) => ops.slice(g, x, [0, 1], [-3, -4], [-1, 99])],
    ['steps', [spread([8])], (g, x) => ops.slice(g, x, [0], [1], [8], [3])],
    ['backwards', [spread([6])], (g, x) => ops.slice(g, x, [0], [4], [-7], [-2])],
  ],
  Pad: [
    ['zeros', [spread([2, 3])], (g, x) => ops.pad(g, x, [1, 0, 0, 2])],
    ['reflect', [spread([4, 5])], (g, x) => ops.pad(g, x, [2, 1, 1, 3], 'reflect')],
    ['edge', [spread([3, 4])], (g, x) => ops.pad(g, x, [2, 0, 1, 3], 'edge')],
  ],
  Gather: [
    ['rows, one of them twice', [spread([4, 2])], (g, x) => ops.gather(g, x, ops.constant(g, 'int64', [2, 2], [1, 3, 1, 0]))],
    ['columns', [spread([2, 4])], (g, x) => ops.gather(g, x, ops.constant(g, 'int64', [3], [2, -1, 0]), 1)],
    ['one entry', [spread([2, 3, 2])], (g, x) => ops.gather(g, x, ops.constant(g, 'int64', [], [2]), 1)],
  ],
  Floor: 'no gradient',
  Ceil: 'no gradient',
  Round: 'no gradient',
  Sign: 'no gradient',
  Not: 'no gradient',
  And: 'no gradient',
  Or: 'no gradient',
  Equal: 'no gradient',
  Greater: 'no gradient',
  GreaterOrEqual: 'no gradient',
  Less: 'no gradient',
  LessOrEqual: 'no gradient',
  ArgMax: 'no gradient',
  If: 'no gradient',
}

function reductions(operator: ops.ReductionOperator): Cases {
  return [
    ['all axes', [spread([2, 3])], (g, x) => ops.reduce(g, operator, x)],
    ['one axis', [spread([2, 3, 2])], (g, x) => ops.reduce(g, operator, x, [1])],
    ['two axes, kept', [spread([2, 3, 2])], (g, x) => ops.reduce(g, operator, x, [0, -1], true)],
  ]
}
