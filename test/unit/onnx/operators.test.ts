import { describe, expect, it } from 'vitest'
import { IMPORTED_OPERATORS } from '../../../main/engine/graph/onnx/import/index.ts'
import { readOnnx } from '../../../main/engine/graph/onnx/read.ts'
import { Session } from '../../../main/engine/runtime/session.ts'
import { float32, int64, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { spread } from '../autodiff/jacobian.ts'
import { buildGraph, buildModel, declared, node, stored } from './build-model.ts'
import { relativeError, runFile } from './run-model.ts'

type Attributes = NonNullable<Parameters<typeof node>[3]>

/** An operand that is stored in the model instead of being fed; null leaves an optional operand out. */
interface Fixed {
  readonly fixed: Tensor
}
type Operand = Tensor | Fixed | null

interface Case {
  readonly what: string
  readonly operator: string
  readonly operands: readonly Operand[]
  readonly attributes: Attributes
  readonly opset: number
  readonly domain: string
  readonly outputs: number
}

const fixed = (tensor: Tensor): Fixed => ({ fixed: tensor })
const ints = (...values: number[]): Fixed => fixed(int64([values.length], values))
const floats = (...values: number[]): Fixed => fixed(float32([values.length], values))
const scalar = (value: number): Fixed => fixed(float32([], [value]))
const bools = (shape: number[], ...values: number[]): Tensor => ({ dtype: 'bool', shape, data: Uint8Array.from(values) })
const float = (value: number) => ({ float: value })
const x34 = spread([3, 4])
const y34 = spread([3, 4], -1, 1.3, 2)
const picture = spread([2, 4, 6, 5])
const tall = spread([1, 2, 7, 8])

const CASES: Case[] = []
function add(
  operator: string,
  what: string,
  operands: readonly Operand[],
  attributes: Attributes = {},
  options: { opset?: number; domain?: string; outputs?: number } = {},
): void {
  CASES.push({ what, operator, operands, attributes, opset: 18, domain: '', outputs: 1, ...options })
}

for (const operator of [
  'Abs',
  'Neg',
  'Exp',
  'Sigmoid',
  'Tanh',
  'Erf',
  'Sin',
  'Cos',
  'Tan',
  'Sinh',
  'Cosh',
  'Floor',
  'Ceil',
  'Round',
  'Sign',
  'Relu',
  'Softplus',
  'Softsign',
  'HardSwish',
  'Mish',
  'Identity',
  'Selu',
  'Celu',
  'Elu',
  'LeakyRelu',
  'HardSigmoid',
  'ThresholdedRelu',
  'Shrink',
]) {
  add(operator, 'with its defaults', [spread([3, 5], -3, 3)])
}
for (const operator of ['Log', 'Sqrt', 'Reciprocal']) add(operator, 'of positive numbers', [spread([3, 5], 0.3, 3)])
for (const operator of ['Selu', 'Celu', 'Elu', 'LeakyRelu', 'ThresholdedRelu'])
  add(operator, 'with alpha', [spread([9], -2, 2)], { alpha: float(0.7) })
add('HardSigmoid', 'with alpha and beta', [spread([9], -2, 2)], { alpha: float(0.3), beta: float(0.4) })
add('Shrink', 'with lambd and bias', [spread([9], -2, 2)], { lambd: float(0.6), bias: float(0.2) })
add('PRelu', 'with a slope per channel', [picture, floatsOf([4, 1, 1], 0.1, 0.2, 0.3, 0.4)])
add('Gelu', 'exact', [x34], {}, { opset: 20 })
add('Gelu', 'by tanh', [x34], { approximate: 'tanh' }, { opset: 20 })
add('Swish', 'with alpha', [x34], { alpha: float(1.5) }, { opset: 24 })
add('Not', 'of truth values', [bools([3], 0, 1, 0)])
for (const operator of ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min']) add(operator, 'broadcast', [x34, spread([4], 0.5, 2)])
for (const operator of ['Max', 'Min', 'Sum', 'Mean']) add(operator, 'of three', [x34, y34, spread([1, 4])], {}, { opset: 13 })
add('Sum', 'of one', [x34])
add('Pow', 'with an integer exponent', [x34, ints(2)])
add('Mod', 'of integers', [fixed(int64([4], [-7, 7, -7, 7])), int64([4], [3, 3, -3, -3])])
add('Mod', 'of integers, as in C', [int64([4], [-7, 7, -7, 7]), ints(3)], { fmod: 1 })
add('Mod', 'of floats, as in C', [x34, scalar(0.3)], { fmod: 1 })
for (const operator of ['And', 'Or', 'Xor']) add(operator, 'of truth values', [bools([4], 0, 0, 1, 1), bools([4], 0, 1, 0, 1)])
for (const operator of ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'])
  add(operator, 'of integers', [int64([3], [1, 2, 3]), int64([3], [3, 2, 1])])
add('IsNaN', 'of numbers', [float32([3], [0, NaN, Infinity])])
add('IsInf', 'of numbers', [float32([3], [0, NaN, -Infinity])])
add('Where', 'broadcast', [bools([3, 1], 1, 0, 1), x34, y34])
add('Clip', 'by attributes', [x34], { min: float(-0.4), max: float(0.6) }, { opset: 10 })
add('Clip', 'by operands', [x34, scalar(-0.4), scalar(0.6)])
add('Clip', 'from one side', [x34, null, scalar(0.6)])
add('Clip', 'by an operand that is fed', [x34, float32([], [-0.2]), scalar(0.6)])
add('Cast', 'to int64', [x34], { to: 7 })
add('Cast', 'to bool', [x34], { to: 9 })
add('CastLike', 'of another', [x34, int64([1], [0])])

add('MatMul', 'of matrices', [x34, spread([4, 2])])
add('MatMul', 'of batches', [spread([2, 1, 3, 4]), spread([5, 4, 2])])
add('MatMul', 'of a row', [spread([4]), spread([2, 4, 3])])
add('MatMul', 'of a column', [spread([2, 3, 4]), spread([4])])
add('MatMul', 'of two vectors', [spread([4]), spread([4], -1, 1, 2)])
add('Gemm', 'transposed, with scalars', [x34, spread([5, 3]), spread([4, 1])], { alpha: float(0.5), beta: float(2), transA: 1, transB: 1 })
for (const equation of ['bij,bjk->bik', 'bhid,bhjd->bhij', 'ij,jk', 'i,j->ij', 'bij->bji', 'ij->i', 'ij,kj,k->i', 'abc,cd->abd']) {
  const sizes: Record<string, number> = { a: 2, b: 2, c: 3, d: 4, h: 3, i: 3, j: 4, k: 5 }
  const terms = equation.split('->')[0]!.split(',')
  add(
    'Einsum',
    equation,
    terms.map((term, i) =>
      spread(
        Array.from(term, (label) => sizes[label]!),
        -1,
        1,
        i,
      ),
    ),
    { equation },
  )
}

add('Conv', 'with bias and pads', [picture, spread([3, 4, 3, 2]), spread([3])], {
  pads: [1, 0, 2, 1],
  strides: [2, 1],
  kernel_shape: [3, 2],
})
add('Conv', 'in groups, dilated', [picture, spread([4, 2, 2, 2])], { group: 2, dilations: [2, 1] })
for (const auto_pad of ['SAME_UPPER', 'SAME_LOWER', 'VALID'])
  add('Conv', auto_pad, [tall, spread([3, 2, 4, 2])], { auto_pad, strides: [2, 3] })
add('Conv', 'of one axis', [spread([1, 2, 9]), spread([3, 2, 3])], { pads: [1, 1], strides: [2] })
add('Conv', 'of three axes', [spread([1, 2, 4, 3, 5]), spread([3, 2, 2, 2, 3])], { pads: [1, 0, 1, 0, 1, 1] })
add('ConvTranspose', 'with output padding', [spread([1, 4, 3, 3]), spread([4, 2, 3, 3]), spread([4])], {
  strides: [2, 2],
  pads: [1, 1, 1, 1],
  output_padding: [1, 0],
  group: 2,
})
add('ConvTranspose', 'with output_shape', [spread([1, 1, 3, 3]), spread([1, 2, 3, 3])], { strides: [3, 2], output_shape: [8, 6] })
add('ConvTranspose', 'with a larger output_shape', [spread([1, 1, 3, 3]), spread([1, 2, 3, 3])], { strides: [3, 2], output_shape: [10, 8] })
add('ConvTranspose', 'SAME_UPPER', [spread([1, 1, 3, 3]), spread([1, 2, 4, 4])], { strides: [2, 3], auto_pad: 'SAME_UPPER' })
for (const operator of ['MaxPool', 'AveragePool']) {
  add(operator, 'with pads', [tall], { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 0, 1] })
  add(operator, 'rounding up', [tall], { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 })
  add(operator, 'rounding up, with pads', [tall], { kernel_shape: [3, 3], strides: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1 })
  add(operator, 'SAME_UPPER', [tall], { kernel_shape: [3, 2], strides: [2, 3], auto_pad: 'SAME_UPPER' })
  add(operator, 'SAME_LOWER', [tall], { kernel_shape: [2, 2], strides: [2, 3], auto_pad: 'SAME_LOWER' })
}
add('MaxPool', 'dilated', [tall], { kernel_shape: [2, 2], dilations: [2, 3] })
add('AveragePool', 'counting the pads', [tall], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 })
add(
  'AveragePool',
  'rounding up, counting the pads',
  [tall],
  { kernel_shape: [3, 3], strides: [3, 2], pads: [1, 1, 1, 1], count_include_pad: 1, ceil_mode: 1 },
  { opset: 19 },
)
add('AveragePool', 'over all there is', [tall], { kernel_shape: [7, 8] })
add('AveragePool', 'over more than there is, rounding up', [tall], { kernel_shape: [320, 320], strides: [320, 320], ceil_mode: 1 })
add('GlobalAveragePool', 'of pictures', [picture])
add('GlobalMaxPool', 'of pictures', [picture])
add('LRN', 'over three channels', [picture], { size: 3, alpha: float(0.2), beta: float(0.6), bias: float(1.2) })

const sizes = (h: number, w: number): Operand[] => [null, null, ints(1, 2, h, w)]
const scales = (h: number, w: number): Operand[] => [null, floats(1, 1, h, w)]
for (const mode of ['linear', 'cubic']) {
  for (const coordinate_transformation_mode of ['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric']) {
    add('Resize', `${mode}, ${coordinate_transformation_mode}, up`, [tall, ...sizes(11, 9)], { mode, coordinate_transformation_mode })
    add('Resize', `${mode}, ${coordinate_transformation_mode}, down`, [tall, ...sizes(4, 3)], { mode, coordinate_transformation_mode })
  }
  add(
    'Resize',
    `${mode}, half_pixel_symmetric`,
    [tall, ...scales(1.3, 0.7)],
    { mode, coordinate_transformation_mode: 'half_pixel_symmetric' },
    { opset: 19 },
  )
  add('Resize', `${mode} against aliasing`, [tall, ...sizes(3, 4)], { mode, antialias: 1 })
  add('Resize', `${mode} by a scale that leaves a rest`, [tall, ...scales(1.7, 0.6)], { mode })
}
add('Resize', 'cubic, edges left out', [tall, ...sizes(9, 5)], { mode: 'cubic', exclude_outside: 1, cubic_coeff_a: float(-0.5) })
add('Resize', 'linear ×2', [tall, ...scales(2, 2)], { mode: 'linear' })
for (const nearest_mode of ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']) {
  for (const coordinate_transformation_mode of ['half_pixel', 'asymmetric', 'align_corners']) {
    add('Resize', `nearest, ${nearest_mode}, ${coordinate_transformation_mode}`, [tall, ...sizes(9, 5)], {
      mode: 'nearest',
      nearest_mode,
      coordinate_transformation_mode,
    })
  }
}
add('Resize', 'of named axes', [tall, null, null, ints(5, 12)], { mode: 'linear', axes: [3, 2] })
add('Resize', 'of operator set 10', [tall, floats(1, 1, 2, 3)], { mode: 'nearest' }, { opset: 10 })
add('Upsample', 'by operands', [tall, floats(1, 1, 2, 3)], { mode: 'nearest' }, { opset: 9 })
add('Upsample', 'by attributes', [tall], { mode: 'linear', scales: { floats: [1, 1, 2, 2] } }, { opset: 7 })

const channels = (salt: number): Fixed => fixed(spread([4], 0.5, 1.5, salt))
add(
  'BatchNormalization',
  'with statistics',
  [picture, channels(1), channels(2), channels(3), channels(4)],
  { epsilon: float(1e-3) },
  { opset: 15 },
)
add('InstanceNormalization', 'of pictures', [picture, channels(1), channels(2)], { epsilon: float(1e-3) })
add('GroupNormalization', 'with a scale per group', [picture, floats(0.5, 1.5), floats(-1, 1)], { num_groups: 2 }, { opset: 18 })
add('GroupNormalization', 'with a scale per channel', [picture, channels(1), channels(2)], { num_groups: 2 }, { opset: 21 })
add('LayerNormalization', 'of the last axis', [picture, spread([5]), spread([5], -1, 1, 2)], {}, { opset: 17 })
add('LayerNormalization', 'of two axes, no bias', [picture, spread([6, 5])], { axis: 2, epsilon: float(1e-3) }, { opset: 17 })
add('RMSNormalization', 'of two axes', [picture, spread([6, 5])], { axis: 2, epsilon: float(1e-3) }, { opset: 23 })
add('SimplifiedLayerNormalization', 'of the last axis', [picture, spread([5])], { axis: -1, epsilon: float(1e-3), stash_type: 1 })
add('MeanVarianceNormalization', 'of pictures', [picture])
add('LpNormalization', 'by the second norm', [x34])
add('LpNormalization', 'by the first norm', [x34], { axis: 0, p: 1 })
for (const operator of ['Softmax', 'LogSoftmax']) {
  add(operator, 'of the last axis', [spread([2, 3, 4])])
  add(operator, 'of the first axis', [spread([2, 3, 4])], { axis: 0 })
  add(operator, 'of operator set 11', [spread([2, 3, 4])], { axis: 1 }, { opset: 11 })
}

for (const operator of [
  'ReduceSum',
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceProd',
]) {
  const of = spread([2, 3, 4], operator === 'ReduceLogSum' ? 0.2 : -1.2, 1.5)
  add(operator, 'of all axes', [of])
  add(operator, 'by operands, dropped', [of, ints(0, -1)], { keepdims: 0 })
  add(operator, 'by attributes', [of], { axes: [1] }, { opset: 11 })
}
add('ReduceSum', 'of no axes', [x34, ints()], { noop_with_empty_axes: 1 })
add('ArgMax', 'dropped', [x34], { axis: 1, keepdims: 0 })
add('ArgMin', 'kept', [x34], { axis: -1 })

add('Reshape', 'with a copied and an open size', [spread([2, 3, 4]), ints(0, -1, 2)])
add('Flatten', 'from the middle', [spread([2, 3, 4])], { axis: 2 })
add('Flatten', 'from the end', [spread([2, 3, 4])], { axis: -1 })
add('Squeeze', 'all', [spread([1, 3, 1])])
add('Squeeze', 'by operands', [spread([1, 3, 1]), ints(-1)])
add('Squeeze', 'by attributes', [spread([1, 3, 1])], { axes: [0] }, { opset: 11 })
add('Unsqueeze', 'by operands', [x34, ints(-1, 0)])
add('Unsqueeze', 'by attributes', [x34], { axes: [1] }, { opset: 11 })
add('Transpose', 'reversed', [spread([2, 3, 4])])
add('Transpose', 'permuted', [spread([2, 3, 4])], { perm: [1, 0, 2] })
add('Expand', 'new axes', [spread([3, 1]), ints(2, 1, 4)])
add('Tile', 'both axes', [x34, ints(2, 3)])
add('Concat', 'the last axis', [x34, spread([3, 2])], { axis: -1 })
add('Split', 'by operands', [spread([5, 2]), ints(2, 3)], { axis: 0 }, { outputs: 2 })
add('Split', 'by attributes', [spread([5, 2])], { axis: 0, split: [1, 4] }, { opset: 11, outputs: 2 })
add('Split', 'in uneven pieces', [spread([5, 2])], { num_outputs: 2 }, { outputs: 2 })
add('Split', 'in even pieces', [spread([2, 6])], { axis: 1 }, { opset: 13, outputs: 3 })
add('Slice', 'by attributes', [x34], { starts: [1, -3], ends: [3, 99], axes: [0, 1] }, { opset: 9 })
add('Slice', 'to the end', [x34, ints(1), fixed({ dtype: 'int64', shape: [1], data: BigInt64Array.of(2n ** 63n - 1n) }), ints(1)])
add('Slice', 'backwards', [x34, ints(-1), fixed({ dtype: 'int64', shape: [1], data: BigInt64Array.of(-(2n ** 63n)) }), ints(1), ints(-2)])
add('Pad', 'by attributes', [x34], { pads: [1, 0, 0, 2], value: float(0.5) }, { opset: 10 })
add('Pad', 'by operands', [x34, ints(1, 0, 0, 2), scalar(0.5)])
add('Pad', 'of named axes', [x34, ints(1, 2), null, ints(-1)], { mode: 'edge' })
add('Pad', 'that cuts off', [x34, ints(-1, 1, 0, -2)])
add('Pad', 'reflected', [x34, ints(1, 2, 2, 3)], { mode: 'reflect' })
add('Pad', 'from the other side', [x34, ints(1, 2, 2, 3)], { mode: 'wrap' }, { opset: 19 })
add('Gather', 'rows', [x34, int64([2, 2], [0, -1, 2, 1])])
add('Gather', 'one column', [x34, fixed(int64([], [1]))], { axis: 1 })
add('GatherElements', 'along columns', [x34, int64([2, 3], [0, -1, 2, 1, 1, 3])], { axis: 1 })
add('GatherND', 'rows', [spread([3, 4, 2]), int64([2, 2], [0, 1, -1, 2])])
add('DepthToSpace', 'blocks first', [spread([1, 8, 2, 3])], { blocksize: 2 })
add('DepthToSpace', 'channels first', [spread([1, 8, 2, 3])], { blocksize: 2, mode: 'CRD' })
add('SpaceToDepth', 'of pictures', [spread([1, 2, 4, 6])], { blocksize: 2 })

add('Constant', 'a tensor', [], { value: { tensor: x34 } })
add('Constant', 'integers', [], { value_ints: [3, 1, 2] })
add('Constant', 'a float', [], { value_float: float(0.5) })
add('Constant', 'floats', [], { value_floats: { floats: [0.5, 2] } })
add('Constant', 'an integer', [], { value_int: 7 })
add('Dropout', 'at inference', [x34], {}, { opset: 12 })
add('Shape', 'whole', [picture])
add('Shape', 'a part', [picture], { start: 1, end: -1 })
add('Size', 'of pictures', [picture])
add('Range', 'of integers', [fixed(int64([], [2])), fixed(int64([], [11])), fixed(int64([], [3]))])
add('Range', 'of floats, backwards', [scalar(1), scalar(-1), scalar(-0.25)])
add('ConstantOfShape', 'zeros', [ints(2, 3)])
add('ConstantOfShape', 'of integers', [ints(2, 3)], { value: { tensor: int64([1], [4]) } })
add('EyeLike', 'off the diagonal', [x34], { k: 1 })
add('Trilu', 'upper', [spread([2, 3, 4]), fixed(int64([], [1]))])
add('Trilu', 'lower', [spread([4, 3])], { upper: 0 })
add('OneHot', 'with values', [int64([3], [0, -1, 2]), fixed(int64([], [4])), floats(-1, 2)], { axis: 0 })

const contrib = { domain: 'com.microsoft' }
add('Gelu', 'fused', [x34], {}, contrib)
add('BiasGelu', 'fused', [x34, spread([4])], {}, contrib)
add('FastGelu', 'fused, with bias', [x34, spread([4])], {}, contrib)
add('FastGelu', 'fused', [x34], {}, contrib)
add('QuickGelu', 'fused', [x34], { alpha: float(1.5) }, contrib)
add('FusedMatMul', 'fused', [x34, spread([3, 5])], { transA: 1, alpha: float(0.5) }, contrib)
add('FusedMatMul', 'fused, right', [x34, spread([5, 4])], { transB: 1 }, contrib)
add(
  'SkipLayerNormalization',
  'fused',
  [spread([2, 3, 4]), spread([2, 3, 4], -1, 1, 2), spread([4]), spread([4]), spread([4])],
  { epsilon: float(1e-3) },
  contrib,
)
add(
  'SkipSimplifiedLayerNormalization',
  'fused',
  [spread([2, 3, 4]), spread([2, 3, 4], -1, 1, 2), spread([4])],
  { epsilon: float(1e-3) },
  contrib,
)

for (const condition of [0, 1]) {
  const branches = { then_branch: { graph: ifBody('Sin') }, else_branch: { graph: ifBody('Neg') } }
  add('If', `known to be ${condition}`, [fixed(bools([], condition))], branches)
  add('If', `fed ${condition}`, [bools([], condition)], branches)
}

function ifBody(operator: string) {
  const constant = node('Constant', [], [`${operator}_x`], { value: { tensor: x34 } })
  return buildGraph({
    node: [constant, node(operator, [`${operator}_x`], [`${operator}_y`])],
    output: [declared(`${operator}_y`, 'float32', x34.shape)],
  })
}

function floatsOf(shape: number[], ...values: number[]): Fixed {
  return fixed(float32(shape, values))
}

function isFixed(operand: Operand): operand is Fixed {
  return operand !== null && 'fixed' in operand
}

/** The model of a single node, and what is fed to it. */
function modelOf({ operator, operands, attributes, opset, domain, outputs }: Case): { bytes: Uint8Array; feeds: Record<string, Tensor> } {
  const names = operands.map((operand, i) => (operand === null ? '' : `x${i}`))
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`)
  const feeds: Record<string, Tensor> = {}
  operands.forEach((operand, i) => {
    if (operand !== null && !isFixed(operand)) feeds[`x${i}`] = operand
  })
  const bytes = buildModel(
    {
      node: [node(operator, names, results, attributes, domain)],
      initializer: operands.flatMap((operand, i) => (isFixed(operand) ? [stored(`x${i}`, operand.fixed)] : [])),
      input: Object.entries(feeds).map(([name, { dtype, shape }]) => declared(name, dtype, shape)),
      output: results.map((name) => ({ name })),
    },
    {
      irVersion: opset > 21 ? 10 : 8,
      opsetImport: [
        { domain: '', version: opset },
        { domain: 'com.microsoft', version: 1 },
      ],
    },
  )
  return { bytes, feeds }
}

describe.each(CASES)('$operator $what', (test) => {
  it('computes what ONNX Runtime computes', async () => {
    const { bytes, feeds } = modelOf(test)
    const expected = await runFile(bytes, feeds)
    const session = await Session.create(readOnnx(bytes, { file: 'test.onnx' }), { device: 'cpu', threads: 1 })
    const results = await session.run(feeds)
    await session.dispose()
    for (const [name, tensor] of Object.entries(expected)) {
      expect(results[name]?.dtype).toBe(tensor.dtype)
      expect(relativeError(results[name], tensor)).toBeLessThan(2e-6)
    }
  })
})

describe('the cases', () => {
  it('hold every operator that can be imported', () => {
    const covered = new Set(CASES.map(({ domain, operator }) => `${domain}:${operator}`))
    expect(IMPORTED_OPERATORS.map(({ domain, operator }) => `${domain}:${operator}`).filter((name) => !covered.has(name))).toEqual([])
  })
})
