import { elementCount } from '../../tensor/shape.ts'
import type { Scope, Value } from '../../graph/graph.ts'
import type { WindowAttributes } from '../../graph/operators.ts'
import {
  cast,
  compare,
  concat,
  constant,
  conv,
  convTranspose,
  div,
  fill,
  matMul,
  mul,
  pad,
  reshape,
  slice,
  sub,
  sum,
  transpose,
} from '../../graph/ops/index.ts'
import { resizeMatrix } from '../resize-matrix.ts'
import { rule, type RuleTable } from '../rule.ts'

export const windowRules: RuleTable<'Conv' | 'ConvTranspose' | 'MaxPool' | 'AveragePool' | 'Resize'> = {
  // The gradient for the input is the transposed convolution with the very same weight tensor: no second copy of it.
  Conv: rule(({ g, dy, wants, input, node }) => {
    const [x, weight, bias] = node.inputs
    const { attributes } = node
    return [
      x !== undefined && wants(0)
        ? convTranspose(g, dy, input(1), undefined, { ...attributes, outputPadding: missing(x, dy, input(1), attributes) })
        : undefined,
      weight !== undefined && wants(1) ? weightGradient(g, input(0), dy, weight.shape, attributes) : undefined,
      bias !== undefined && wants(2) ? sumPerChannel(g, dy) : undefined,
    ]
  }),
  // The same the other way round: input and upstream gradient change places.
  ConvTranspose: rule(({ g, dy, wants, input, node }) => {
    const [x, weight, bias] = node.inputs
    const { attributes } = node
    return [
      x !== undefined && wants(0) ? cropTo(g, conv(g, dy, input(1), undefined, attributes), x) : undefined,
      weight !== undefined && wants(1) ? weightGradient(g, dy, input(0), weight.shape, attributes) : undefined,
      bias !== undefined && wants(2) ? sumPerChannel(g, dy) : undefined,
    ]
  }),
  // The gradient goes to the first largest element of each window, as in PyTorch.
  MaxPool: rule(({ g, dy, input, output, node }) => {
    const { kernel, pads } = node.attributes
    const x = input(0)
    const lowest = x.dtype === 'float16' ? -65504 : -3.4e38
    const padded = pad(g, x, spatialPads(pads), 'constant', lowest)
    const windows = offsetsOf(kernel).map((offset) => shifted(g, padded, offset, dy.shape.slice(2), node.attributes))
    const largest = output()
    let unclaimed = fill(g, dy.dtype, [], 1)
    const shares = windows.map((window) => {
      const hit = mul(g, cast(g, compare(g, 'Equal', window, largest), dy.dtype), unclaimed)
      unclaimed = sub(g, unclaimed, hit)
      return mul(g, dy, hit)
    })
    return [scatter(g, shares, kernel, node.attributes, x)]
  }),
  // Each element of a window gets dy / count, count being the elements that were averaged.
  AveragePool: rule(({ g, dy, node }) => {
    const [x] = node.inputs
    if (x === undefined) return []
    const { kernel, strides, pads, countIncludePad } = node.attributes
    const window: WindowAttributes = { strides, pads, dilations: kernel.map(() => 1) }
    const spread = countIncludePad
      ? mul(g, dy, fill(g, dy.dtype, [], 1 / elementCount(kernel)))
      : div(g, dy, counts(g, x, dy, kernel, window))
    return [
      scatter(
        g,
        offsetsOf(kernel).map(() => spread),
        kernel,
        window,
        x,
      ),
    ]
  }),
  // Resampling is linear and works axis by axis, y = M x with M [out, in]: dx = Mᵀ dy along each axis.
  Resize: rule(({ g, dy, node }) => {
    const [x] = node.inputs
    if (x === undefined) return []
    let gradient = dy
    x.shape.slice(2).forEach((size, i) => {
      const axis = i + 2
      const target = node.attributes.sizes[i] ?? size
      if (target === size) return
      gradient =
        node.attributes.mode === 'nearest' && target % size === 0
          ? sumBlocks(g, gradient, axis, size)
          : alongAxis(g, gradient, axis, resizeMatrix(size, target, node.attributes.mode), target, size)
    })
    return [gradient]
  }),
}

/** Trailing elements of x that no window reached, which the transposed convolution must add. */
function missing(x: Value, dy: Value, weight: Value, { strides, pads, dilations }: WindowAttributes): number[] {
  return weight.shape.slice(2).map((size, i) => {
    const axes = weight.shape.length - 2
    const covered = ((dy.shape[i + 2] ?? 1) - 1) * (strides[i] ?? 1) + (size - 1) * (dilations[i] ?? 1) + 1
    return (x.shape[i + 2] ?? 0) + (pads[i] ?? 0) + (pads[i + axes] ?? 0) - covered
  })
}

/**
 * dW[o, c, k] = Σ over n and p of dy[n, o, p] · x[n, c, p·stride + k·dilation − pad]: the windows of x are laid out as shifted
 * slices and one product per group does the sum (swapping the axes of a convolution was slower). Channels come first before the
 * windows are cut, so that what is transposed is x and not its many times larger windows: whole-network training took 0.7 × the time.
 */
function weightGradient(
  g: Scope,
  x: Value,
  dy: Value,
  shape: readonly number[],
  attributes: WindowAttributes & { readonly group: number },
): Value {
  const [out = 0, perGroup = 0, ...kernel] = shape
  const { group } = attributes
  const [batch = 0] = x.shape
  const spatial = dy.shape.slice(2)
  const positions = elementCount(spatial)
  const channelsFirst = transpose(g, x, [1, 0, ...spatial.map((_, i) => i + 2)])
  const padded = attributes.pads.every((size) => size === 0) ? channelsFirst : pad(g, channelsFirst, spatialPads(attributes.pads))
  const offsets = offsetsOf(kernel)
  // [group, c/group, 1, n·positions] per offset, joined to [group, c/group · offsets, n·positions]
  const windows = offsets.map((offset) =>
    reshape(g, shifted(g, padded, offset, spatial, attributes), [group, perGroup, 1, batch * positions]),
  )
  const columns = reshape(g, concat(g, windows, 2), [group, perGroup * offsets.length, batch * positions])
  const rows = transpose(g, reshape(g, dy, [batch, group, out / group, positions]), [1, 0, 3, 2])
  const product = matMul(g, columns, reshape(g, rows, [group, batch * positions, out / group]))
  return reshape(g, transpose(g, product, [0, 2, 1]), shape)
}

/** Sum over everything but the channel axis. */
function sumPerChannel(g: Scope, dy: Value): Value {
  return sum(
    g,
    dy,
    [...dy.shape.keys()].filter((axis) => axis !== 1),
  )
}

/** Every position inside a kernel, row-major. */
function offsetsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (offsets, size) => offsets.flatMap((offset) => Array.from({ length: size }, (_, k) => [...offset, k])),
    [[]],
  )
}

/** The element at this offset of every window of a padded input. */
function shifted(
  g: Scope,
  padded: Value,
  offset: readonly number[],
  positions: readonly number[],
  { strides, dilations }: WindowAttributes,
): Value {
  const starts = offset.map((k, i) => k * (dilations[i] ?? 1))
  const ends = starts.map((start, i) => start + ((positions[i] ?? 1) - 1) * (strides[i] ?? 1) + 1)
  const axes = offset.map((_, i) => i + 2)
  return slice(g, padded, axes, starts, ends, [...strides])
}

/**
 * The transpose of cutting windows: adds to x, at each offset of each window, that offset's value. One transposed convolution
 * with a one-hot kernel per offset does it, with channels as samples.
 */
function scatter(g: Scope, perOffset: readonly Value[], kernel: readonly number[], window: WindowAttributes, x: Value): Value {
  const [batch = 0, channels = 0, ...spatial] = x.shape
  const [first] = perOffset
  if (first === undefined) return fill(g, x.dtype, x.shape, 0)
  const positions = first.shape.slice(2)
  const stacked = concat(
    g,
    perOffset.map((value) => reshape(g, value, [batch * channels, 1, ...positions])),
    1,
  )
  const count = perOffset.length
  const oneHot = constant(
    g,
    x.dtype,
    [count, 1, ...kernel],
    Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 1 : 0)),
  )
  const single: Value = { ...x, shape: [batch * channels, 1, ...spatial] }
  const outputPadding = missing(single, stacked, oneHot, window)
  // Output padding must stay below the stride; anything beyond it lies outside every window and is zero.
  const fits = outputPadding.map((size, i) => Math.min(size, (window.strides[i] ?? 1) - 1))
  const sums = convTranspose(g, stacked, oneHot, undefined, { ...window, outputPadding: fits })
  return reshape(g, padTo(g, sums, spatial), x.shape)
}

/** How many elements of x, padding left out, each window averages: a convolution of ones, computed here as plain numbers. */
function counts(g: Scope, x: Value, dy: Value, kernel: readonly number[], { strides, pads }: WindowAttributes): Value {
  const perAxis = kernel.map((size, i) =>
    Array.from({ length: dy.shape[i + 2] ?? 0 }, (_, p) => {
      const start = p * (strides[i] ?? 1) - (pads[i] ?? 0)
      return Math.min(start + size, x.shape[i + 2] ?? 0) - Math.max(start, 0)
    }),
  )
  const products = perAxis.reduce<number[]>((all, axis) => all.flatMap((left) => axis.map((right) => left * right)), [1])
  return constant(g, dy.dtype, [1, 1, ...dy.shape.slice(2)], products)
}

/** Zero pads of the batch and channel axes put before those of the spatial ones. */
function spatialPads(pads: readonly number[]): number[] {
  const axes = pads.length / 2
  return [0, 0, ...pads.slice(0, axes), 0, 0, ...pads.slice(axes)]
}

function cropTo(g: Scope, value: Value, like: Value): Value {
  const axes = [...like.shape.keys()].slice(2)
  return slice(
    g,
    value,
    axes,
    axes.map(() => 0),
    axes.map((axis) => like.shape[axis] ?? 0),
  )
}

function padTo(g: Scope, value: Value, spatial: readonly number[]): Value {
  return pad(g, value, [...value.shape.map(() => 0), 0, 0, ...spatial.map((size, i) => size - (value.shape[i + 2] ?? 0))])
}

/** Sums each run of out/in neighbours along an axis. */
function sumBlocks(g: Scope, value: Value, axis: number, size: number): Value {
  const factor = (value.shape[axis] ?? 0) / size
  return sum(g, reshape(g, value, [...value.shape.slice(0, axis), size, factor, ...value.shape.slice(axis + 1)]), [axis + 1])
}

/** Mᵀ applied along one axis, M [out, in] row-major. */
function alongAxis(g: Scope, value: Value, axis: number, matrix: readonly number[], out: number, size: number): Value {
  const last = value.shape.length - 1
  const perm = [...value.shape.keys()].filter((a) => a !== axis).concat(axis)
  const product = matMul(g, transpose(g, value, perm), constant(g, value.dtype, [out, size], matrix))
  const back = [...value.shape.keys()].map((a) => (a === axis ? last : a < axis ? a : a - 1))
  return transpose(g, product, back)
}
