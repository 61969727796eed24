import type { DType } from '../tensor/dtype.ts'
import type { Region } from './graph.ts'

type None = Record<never, never>

/** Window of a convolution or pooling: one entry per spatial axis; `pads` lists all begins, then all ends, as ONNX does. */
export interface WindowAttributes {
  readonly strides: readonly number[]
  readonly pads: readonly number[]
  readonly dilations: readonly number[]
}

/**
 * Every operator a graph may hold, with its attributes. They are ONNX's operators (opset 18), so that writing and reading a
 * model is a matter of spelling; whatever ONNX takes as a constant tensor (axes, sizes, pads) is an attribute here, because
 * shapes are static. What ONNX can express by other operators (GroupNormalization, Gelu, …) is decomposed by its builder.
 */
export interface OperatorAttributes {
  // Element by element, one operand
  Abs: None
  Neg: None
  Exp: None
  Log: None
  Sqrt: None
  Reciprocal: None
  Sigmoid: None
  Tanh: None
  Erf: None
  Relu: None
  Sin: None
  Cos: None
  Floor: None
  Ceil: None
  Round: None
  Sign: None
  Not: None
  Softplus: None
  LeakyRelu: { readonly alpha: number }
  Elu: { readonly alpha: number }
  Clip: { readonly min: number; readonly max: number }
  Cast: { readonly to: DType }
  // Element by element, broadcast operands
  Add: None
  Sub: None
  Mul: None
  Div: None
  Pow: None
  Max: None
  Min: None
  Equal: None
  Greater: None
  GreaterOrEqual: None
  Less: None
  LessOrEqual: None
  And: None
  Or: None
  Where: None
  // Products
  MatMul: None
  Gemm: { readonly alpha: number; readonly beta: number; readonly transA: boolean; readonly transB: boolean }
  Conv: WindowAttributes & { readonly group: number }
  ConvTranspose: WindowAttributes & { readonly group: number; readonly outputPadding: readonly number[] }
  // Windows
  MaxPool: WindowAttributes & { readonly kernel: readonly number[] }
  AveragePool: {
    readonly kernel: readonly number[]
    readonly strides: readonly number[]
    readonly pads: readonly number[]
    readonly countIncludePad: boolean
  }
  Resize: { readonly sizes: readonly number[]; readonly mode: 'nearest' | 'linear' }
  // Normalisation
  LayerNormalization: { readonly axis: number; readonly epsilon: number }
  InstanceNormalization: { readonly epsilon: number }
  Softmax: { readonly axis: number }
  LogSoftmax: { readonly axis: number }
  // Reductions
  ReduceSum: { readonly axes: readonly number[]; readonly keepDims: boolean }
  ReduceMean: { readonly axes: readonly number[]; readonly keepDims: boolean }
  ReduceMax: { readonly axes: readonly number[]; readonly keepDims: boolean }
  ReduceMin: { readonly axes: readonly number[]; readonly keepDims: boolean }
  ArgMax: { readonly axis: number; readonly keepDims: boolean }
  // Shape
  Reshape: None
  Transpose: { readonly perm: readonly number[] }
  Expand: None
  Tile: { readonly repeats: readonly number[] }
  Concat: { readonly axis: number }
  Slice: {
    readonly axes: readonly number[]
    readonly starts: readonly number[]
    readonly ends: readonly number[]
    readonly steps: readonly number[]
  }
  Pad: { readonly pads: readonly number[]; readonly mode: 'constant' | 'reflect' | 'edge'; readonly value: number }
  Gather: { readonly axis: number }
  // Control
  If: { readonly then: Region; readonly else: Region }
}

export type Operator = keyof OperatorAttributes
