import { shapeError, type Scope, type Value } from '../graph.ts'

export interface ConvOptions {
  readonly strides?: readonly number[]
  /** All begins, then all ends, one per spatial axis. */
  readonly pads?: readonly number[]
  readonly dilations?: readonly number[]
  readonly group?: number
}

/** Convolution: x [n, c, ...spatial], weight [out, c/group, ...kernel], bias [out] → [n, out, ...spatial']. */
export function conv(g: Scope, x: Value, weight: Value, bias?: Value, options: ConvOptions = {}): Value {
  const { kernel, strides, pads, dilations } = window(weight, options)
  const group = options.group ?? 1
  const [batch, channels] = x.shape
  const [out, perGroup] = weight.shape
  if (
    batch === undefined ||
    out === undefined ||
    x.shape.length !== weight.shape.length ||
    channels !== (perGroup ?? 0) * group ||
    x.dtype !== weight.dtype
  ) {
    throw shapeError(g, 'Conv', [x, weight], 'it needs [n, c, …] and [out, c/group, …]')
  }
  const spatial = outputSizes(x.shape.slice(2), kernel, { strides, pads, dilations })
  if (spatial.some((size) => size < 1)) throw shapeError(g, 'Conv', [x, weight], 'the kernel must fit the padded input')
  return g.emitOne('Conv', [x, weight, bias], { strides, pads, dilations, group }, { dtype: x.dtype, shape: [batch, out, ...spatial] })
}

/** Transposed convolution: x [n, c, ...spatial], weight [c, out/group, ...kernel], bias [out]. */
export function convTranspose(
  g: Scope,
  x: Value,
  weight: Value,
  bias?: Value,
  options: ConvOptions & { readonly outputPadding?: readonly number[] } = {},
): Value {
  const { kernel, strides, pads, dilations } = window(weight, options)
  const group = options.group ?? 1
  const outputPadding = options.outputPadding ?? kernel.map(() => 0)
  const [batch, channels] = x.shape
  const [rows, perGroup] = weight.shape
  if (
    batch === undefined ||
    perGroup === undefined ||
    x.shape.length !== weight.shape.length ||
    channels !== rows ||
    x.dtype !== weight.dtype
  ) {
    throw shapeError(g, 'ConvTranspose', [x, weight], 'it needs [n, c, …] and [c, out/group, …]')
  }
  const axes = kernel.length
  const spatial = x.shape.slice(2).map((size, axis) => {
    const stride = strides[axis] ?? 1
    const extent = ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1
    return (size - 1) * stride + extent + (outputPadding[axis] ?? 0) - (pads[axis] ?? 0) - (pads[axis + axes] ?? 0)
  })
  const shape = [batch, perGroup * group, ...spatial]
  return g.emitOne('ConvTranspose', [x, weight, bias], { strides, pads, dilations, group, outputPadding }, { dtype: x.dtype, shape })
}

/** Largest element of each window: x [n, c, ...spatial]. Padding never wins. */
export function maxPool(g: Scope, x: Value, kernel: readonly number[], options: Omit<ConvOptions, 'group'> = {}): Value {
  const strides = options.strides ?? kernel.map(() => 1)
  const pads = options.pads ?? kernel.flatMap(() => [0, 0])
  const dilations = options.dilations ?? kernel.map(() => 1)
  const spatial = outputSizes(x.shape.slice(2), kernel, { strides, pads, dilations })
  return g.emitOne('MaxPool', [x], { kernel, strides, pads, dilations }, { dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...spatial] })
}

/** Mean of each window: x [n, c, ...spatial]; padding counts as zeros only with `countIncludePad`. */
export function averagePool(
  g: Scope,
  x: Value,
  kernel: readonly number[],
  options: { readonly strides?: readonly number[]; readonly pads?: readonly number[]; readonly countIncludePad?: boolean } = {},
): Value {
  const strides = options.strides ?? kernel.map(() => 1)
  const pads = options.pads ?? kernel.flatMap(() => [0, 0])
  const spatial = outputSizes(x.shape.slice(2), kernel, { strides, pads, dilations: kernel.map(() => 1) })
  const attributes = { kernel, strides, pads, countIncludePad: options.countIncludePad ?? false }
  return g.emitOne('AveragePool', [x], attributes, { dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...spatial] })
}

/**
 * Resamples the spatial axes of x [n, c, ...spatial] to `sizes`, each a whole multiple of what it was when nearest.
 * Nearest is `asymmetric` with `floor` (PyTorch's `nearest`), linear is `half_pixel` (PyTorch's `align_corners=False`).
 */
export function resize(g: Scope, x: Value, sizes: readonly number[], mode: 'nearest' | 'linear'): Value {
  if (sizes.length !== x.shape.length - 2) throw shapeError(g, 'Resize', [x], 'it needs one size per spatial axis')
  return g.emitOne('Resize', [x], { sizes, mode }, { dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...sizes] })
}

function window(weight: Value, options: ConvOptions) {
  const kernel = weight.shape.slice(2)
  return {
    kernel,
    strides: options.strides ?? kernel.map(() => 1),
    pads: options.pads ?? kernel.flatMap(() => [0, 0]),
    dilations: options.dilations ?? kernel.map(() => 1),
  }
}

/** ⌊(size + pads − extent) / stride⌋ + 1 per spatial axis, extent = (kernel − 1) · dilation + 1. */
function outputSizes(
  sizes: readonly number[],
  kernel: readonly number[],
  options: { readonly strides: readonly number[]; readonly pads: readonly number[]; readonly dilations: readonly number[] },
): number[] {
  return sizes.map((size, axis) => {
    const extent = ((kernel[axis] ?? 1) - 1) * (options.dilations[axis] ?? 1) + 1
    const padded = size + (options.pads[axis] ?? 0) + (options.pads[axis + kernel.length] ?? 0)
    return Math.floor((padded - extent) / (options.strides[axis] ?? 1)) + 1
  })
}
