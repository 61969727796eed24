import { elementCount } from '../../../tensor/shape.ts'
import type { Value } from '../../graph.ts'
import type { WindowAttributes } from '../../operators.ts'
import * as ops from '../../ops/index.ts'
import type { Importer, NodeContext } from './node-context.ts'
import { resize, upsample } from './resize.ts'

/** Larger windows are refused; networks use up to 13×13, or the whole picture. */
const MAX_WINDOW = 1024

export const windows: Readonly<Record<string, Importer>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (c) => ops.mean(c.g, c.input(0), spatialAxes(c, c.input(0)), true),
  GlobalMaxPool: (c) => ops.reduce(c.g, 'ReduceMax', c.input(0), spatialAxes(c, c.input(0)), true),
  LRN: localResponse,
  Resize: resize,
  Upsample: upsample,
}

export function conv(c: NodeContext): Value {
  const [x, weight] = [c.input(0), c.input(1)]
  const bias = c.optional(2)
  const group = c.attributes.int('group', 1)
  spatialAxes(c, x)
  c.require(weight.shape.length === x.shape.length, 'weight and input have as many axes')
  const out = weight.shape[0] ?? 0
  c.require(group > 0 && out % group === 0, 'the groups divide the channels')
  c.require(bias === undefined || (bias.shape.length === 1 && bias.shape[0] === out), 'the bias has one number per channel')
  return ops.conv(c.g, x, weight, bias, { ...window(c, x, kernelOf(c, weight)), group })
}

/** Pads follow from `output_shape` or `auto_pad` where those are given: total = stride (in − 1) + output_padding + extent − out. */
function convTranspose(c: NodeContext): Value {
  const [x, weight] = [c.input(0), c.input(1)]
  const bias = c.optional(2)
  const { attributes } = c
  const group = attributes.int('group', 1)
  const axes = spatialAxes(c, x)
  c.require(weight.shape.length === x.shape.length, 'weight and input have as many axes')
  const kernel = kernelOf(c, weight)
  const { strides, dilations, pads } = window(c, x, kernel, true)
  const outputPadding = perAxis(c, 'output_padding', axes.length, 0, 0)
  c.require(group > 0 && (x.shape[1] ?? 0) % group === 0, 'the groups divide the channels')
  const channels = (weight.shape[1] ?? 0) * group
  c.require(bias === undefined || (bias.shape.length === 1 && bias.shape[0] === channels), 'the bias has one number per channel')
  const padding = attributes.text('auto_pad', 'NOTSET')
  const sizes =
    attributes.ints('output_shape')?.slice(-axes.length) ??
    (padding.startsWith('SAME') ? axes.map((axis, i) => (x.shape[axis] ?? 0) * strides[i]!) : undefined)
  if (sizes === undefined) return checkedConvTranspose(c, bias, { strides, dilations, pads, group, outputPadding })
  c.require(sizes.length === axes.length, 'output_shape has one size per spatial axis')
  const totals = axes.map(
    (axis, i) => strides[i]! * ((x.shape[axis] ?? 0) - 1) + outputPadding[i]! + (kernel[i]! - 1) * dilations[i]! + 1 - sizes[i]!,
  )
  // A result larger than what the input reaches ends in zeros, which is what output padding means.
  const reached = totals.map((total) => Math.max(total, 0))
  const begins = reached.map((total) => (padding === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)))
  const ends = reached.map((total, i) => total - begins[i]!)
  const beyond = outputPadding.map((size, i) => size + reached[i]! - totals[i]!)
  return checkedConvTranspose(c, bias, { strides, dilations, pads: [...begins, ...ends], group, outputPadding: beyond })
}

function checkedConvTranspose(
  c: NodeContext,
  bias: Value | undefined,
  options: WindowAttributes & { group: number; outputPadding: readonly number[] },
): Value {
  const fits = options.outputPadding.every((size, i) => size === 0 || size < Math.max(options.strides[i]!, options.dilations[i]!))
  c.require(fits, 'the output padding is smaller than the stride')
  const y = ops.convTranspose(c.g, c.input(0), c.input(1), bias, options)
  c.require(
    y.shape.every((size) => size > 0),
    'its result is not empty',
  )
  return y
}

function maxPool(c: NodeContext): Value {
  const x = c.input(0)
  if (c.node.output[1] !== undefined && c.node.output[1] !== '') throw c.unsupported('the positions of the largest elements as a result')
  const kernel = poolKernel(c, x)
  refuseLargeWindow(c, kernel)
  const attributes = window(c, x, kernel)
  const pads = withCeiling(c, x, kernel, attributes)
  return pooled(c, ops.maxPool(c.g, x, kernel, { ...attributes, pads }))
}

function averagePool(c: NodeContext): Value {
  const x = c.input(0)
  const kernel = poolKernel(c, x)
  const attributes = window(c, x, kernel)
  if (attributes.dilations.some((dilation) => dilation !== 1)) throw c.unsupported('dilations')
  const pads = withCeiling(c, x, kernel, attributes)
  const extra = pads.map((size, i) => size - attributes.pads[i]!)
  const countIncludePad = c.attributes.flag('count_include_pad') && attributes.pads.some((size) => size > 0)
  const { strides } = attributes
  if (!countIncludePad && isWhole(x, kernel, strides, pads)) return ops.mean(c.g, x, spatialAxes(c, x), true)
  refuseLargeWindow(c, kernel)
  if (!countIncludePad || extra.every((size) => size === 0)) {
    return pooled(c, ops.averagePool(c.g, x, kernel, { strides, pads, countIncludePad }))
  }
  // What ceil_mode adds past the padding is never counted: the padding becomes part of the input, the rest does not count.
  const half = attributes.pads.length / 2
  const bordered = ops.pad(c.g, x, [0, 0, ...attributes.pads.slice(0, half), 0, 0, ...attributes.pads.slice(half)])
  return pooled(c, ops.averagePool(c.g, bordered, kernel, { strides, pads: extra, countIncludePad: false }))
}

/** Whether there is a single window and it holds the whole input. Networks pool like this at their end. */
function isWhole(x: Value, kernel: readonly number[], strides: readonly number[], pads: readonly number[]): boolean {
  return kernel.every((length, i) => {
    const [size, begin, end] = [x.shape[i + 2] ?? 0, pads[i]!, pads[i + kernel.length]!]
    return length - begin >= size && size + begin + end >= length && size + begin + end < length + strides[i]!
  })
}

/** The gradient of a pooling takes memory with the square of the elements of a window. */
function refuseLargeWindow(c: NodeContext, kernel: readonly number[]): void {
  if (elementCount(kernel) > MAX_WINDOW) throw c.unsupported(`windows of ${elementCount(kernel)} elements`)
}

function pooled(c: NodeContext, y: Value): Value {
  c.require(
    y.shape.every((size) => size > 0),
    'its result is not empty',
  )
  return y
}

/** y = x / (bias + α/size · Σ x²)^β, the sum over `size` neighbouring channels (Krizhevsky et al. 2012). */
function localResponse(c: NodeContext): Value {
  const { g } = c
  const x = c.input(0)
  const [batch = 0, channels = 0, ...spatial] = x.shape
  spatialAxes(c, x)
  const size = c.attributes.int('size', 1)
  c.require(size > 0, 'size is positive')
  const squares = ops.reshape(g, ops.mul(g, x, x), [batch, 1, channels, spatial.reduce((a, b) => a * b, 1)])
  const before = Math.floor((size - 1) / 2)
  const mean = ops.averagePool(g, squares, [size, 1], { strides: [1, 1], pads: [before, 0, size - 1 - before, 0], countIncludePad: true })
  const base = ops.shift(g, ops.scale(g, ops.reshape(g, mean, x.shape), c.attributes.float('alpha', 1e-4)), c.attributes.float('bias', 1))
  return ops.div(g, x, ops.arithmetic(g, 'Pow', base, ops.fill(g, x.dtype, [], c.attributes.float('beta', 0.75))))
}

/** Axes 2, 3, … of [n, c, ...spatial], of which there must be one. */
export function spatialAxes(c: NodeContext, x: Value): number[] {
  c.require(x.shape.length > 2, 'its input is [n, c, …]')
  return [...x.shape.keys()].slice(2)
}

function kernelOf(c: NodeContext, weight: Value): readonly number[] {
  const kernel = weight.shape.slice(2)
  const declared = c.attributes.ints('kernel_shape') ?? kernel
  c.require(declared.length === kernel.length && declared.every((size, i) => size === kernel[i]), 'kernel_shape is that of the weight')
  return kernel
}

function poolKernel(c: NodeContext, x: Value): readonly number[] {
  const kernel = c.attributes.ints('kernel_shape') ?? []
  c.require(kernel.length === spatialAxes(c, x).length && kernel.every((size) => size > 0), 'kernel_shape has one size per spatial axis')
  return kernel
}

/** An attribute with one integer per spatial axis (or two, begin and end), none below `least`. */
function perAxis(c: NodeContext, name: string, count: number, otherwise: number, least: number): readonly number[] {
  const values = c.attributes.ints(name) ?? new Array<number>(count).fill(otherwise)
  c.require(values.length === count && values.every((value) => value >= least), `${name} has ${count} integers of at least ${least}`)
  return values
}

/** Strides, dilations and pads; `auto_pad` SAME pads so that the result has ⌈size / stride⌉ elements. */
function window(c: NodeContext, x: Value, kernel: readonly number[], transposed = false): WindowAttributes {
  const sizes = x.shape.slice(2)
  const strides = perAxis(c, 'strides', kernel.length, 1, 1)
  const dilations = perAxis(c, 'dilations', kernel.length, 1, 1)
  const padding = c.attributes.text('auto_pad', 'NOTSET')
  if (padding === 'VALID' || (transposed && padding !== 'NOTSET')) return { strides, dilations, pads: [...kernel, ...kernel].map(() => 0) }
  if (padding === 'NOTSET' || padding === '') return { strides, dilations, pads: perAxis(c, 'pads', 2 * kernel.length, 0, 0) }
  c.require(padding === 'SAME_UPPER' || padding === 'SAME_LOWER', `auto_pad is not ${padding}`)
  const totals = sizes.map((size, i) =>
    Math.max((Math.ceil(size / strides[i]!) - 1) * strides[i]! + extentOf(kernel, dilations, i) - size, 0),
  )
  const begins = totals.map((total) => (padding === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)))
  return { strides, dilations, pads: [...begins, ...totals.map((total, i) => total - begins[i]!)] }
}

/**
 * The pads of a pooling, with more at the ends where `ceil_mode` lets a last window reach past the padded input. A window that
 * would start in the padding at the end is left out, as in PyTorch and ONNX Runtime.
 */
function withCeiling(
  c: NodeContext,
  x: Value,
  kernel: readonly number[],
  { strides, dilations, pads }: WindowAttributes,
): readonly number[] {
  if (!c.attributes.flag('ceil_mode')) return pads
  const axes = kernel.length
  return pads.map((pad, i) => {
    if (i < axes) return pad
    const axis = i - axes
    const stride = strides[axis]!
    const begin = pads[axis]!
    const size = x.shape[axis + 2] ?? 0
    const extent = extentOf(kernel, dilations, axis)
    let count = Math.ceil((size + begin + pad - extent) / stride) + 1
    if ((count - 1) * stride >= size + begin) count--
    return Math.max(pad, (count - 1) * stride + extent - size - begin)
  })
}

/** How far a window reaches: (kernel − 1) · dilation + 1. */
function extentOf(kernel: readonly number[], dilations: readonly number[], axis: number): number {
  return (kernel[axis]! - 1) * dilations[axis]! + 1
}
