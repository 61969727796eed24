import { elementCount, stridesOf } from '../../../tensor/shape.ts'
import type { Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { Importer, NodeContext } from './node-context.ts'
import { pad } from './pad.ts'

export const shaping: Readonly<Record<string, Importer>> = {
  Reshape: reshape,
  Flatten: (c: NodeContext) => {
    const x = c.input(0)
    const declared = c.attributes.int('axis', 1)
    const axis = declared === x.shape.length ? declared : c.axis(declared, x.shape.length)
    return ops.reshape(c.g, x, [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))])
  },
  Squeeze: (c: NodeContext) => {
    const x = c.input(0)
    const named = c.setting('axes', 1)
    const axes = named === undefined ? [...x.shape.keys()].filter((axis) => x.shape[axis] === 1) : c.axes(named, x.shape.length)
    c.require(
      axes.every((axis) => x.shape[axis] === 1),
      'the axes it drops have size 1',
    )
    return ops.reshape(
      c.g,
      x,
      x.shape.filter((_, axis) => !axes.includes(axis)),
    )
  },
  Unsqueeze: (c: NodeContext) => {
    const x = c.input(0)
    const named = c.setting('axes', 1) ?? []
    const axes = c.axes(named, x.shape.length + named.length)
    const sizes = [...x.shape]
    return ops.reshape(
      c.g,
      x,
      Array.from({ length: x.shape.length + axes.length }, (_, axis) => (axes.includes(axis) ? 1 : (sizes.shift() ?? 1))),
    )
  },
  Transpose: (c: NodeContext) => {
    const x = c.input(0)
    const perm = c.attributes.ints('perm') ?? [...x.shape.keys()].reverse()
    c.require(perm.length === x.shape.length, 'perm names every axis')
    return ops.transpose(c.g, x, c.axes(perm, x.shape.length))
  },
  Expand: (c: NodeContext) => {
    const sizes = c.numbers(1)
    c.require(
      sizes.every((size) => size >= 0),
      'its sizes are not negative',
    )
    return ops.expand(c.g, c.input(0), sizes)
  },
  Tile: (c: NodeContext) => {
    const x = c.input(0)
    const repeats = c.numbers(1)
    c.require(repeats.length === x.shape.length && repeats.every((count) => count >= 0), 'it has one count per axis')
    return repeats.every((count) => count === 1) ? x : ops.tile(c.g, x, repeats)
  },
  Concat: (c: NodeContext) => {
    const values = c.operands()
    const [{ shape, dtype }] = values
    c.require(
      values.every((value) => value.shape.length === shape.length && value.dtype === dtype),
      'its operands have as many axes and one type',
    )
    return ops.concat(c.g, values, c.axis(c.attributes.int('axis', 1), shape.length))
  },
  Split: split,
  Slice: slice,
  Pad: pad,
  Gather: (c) => ops.gather(c.g, c.input(0), c.input(1), c.axis(c.attributes.int('axis', 0), c.input(0).shape.length)),
  GatherElements: gatherElements,
  GatherND: gatherND,
  // [n, c·b², h, w] → [n, c, h·b, w·b]; the block is the outer part of the channels (DCR) or the inner (CRD)
  DepthToSpace: (c: NodeContext) => {
    const [n, channels, h, w] = picture(c)
    const block = blockSize(c)
    c.require(channels % (block * block) === 0, 'the blocks divide the channels')
    const inner = channels / (block * block)
    const columnFirst = c.attributes.text('mode', 'DCR') === 'CRD'
    const parts = ops.reshape(c.g, c.input(0), columnFirst ? [n, inner, block, block, h, w] : [n, block, block, inner, h, w])
    return ops.reshape(c.g, ops.transpose(c.g, parts, columnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), [
      n,
      inner,
      h * block,
      w * block,
    ])
  },
  // [n, c, h·b, w·b] → [n, b²·c, h, w], the inverse
  SpaceToDepth: (c: NodeContext) => {
    const [n, channels, h, w] = picture(c)
    const block = blockSize(c)
    c.require(h % block === 0 && w % block === 0, 'the blocks divide the picture')
    const parts = ops.reshape(c.g, c.input(0), [n, channels, h / block, block, w / block, block])
    const order = c.attributes.text('mode', 'DCR') === 'CRD' ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4]
    return ops.reshape(c.g, ops.transpose(c.g, parts, order), [n, channels * block * block, h / block, w / block])
  },
}

/** 0 copies the size of the same axis (unless allowzero), −1 is whatever is left. */
function reshape(c: NodeContext): Value {
  const x = c.input(0)
  const sizes = c.numbers(1).map((size, axis) => (size === 0 && !c.attributes.flag('allowzero') ? (x.shape[axis] ?? NaN) : size))
  c.require(sizes.every((size) => size >= -1) && sizes.filter((size) => size === -1).length < 2, 'its sizes are possible')
  const rest = sizes.filter((size) => size !== -1)
  c.require(rest.length === sizes.length || elementCount(rest) > 0, 'the size it leaves open is determined')
  return ops.reshape(c.g, x, sizes)
}

/** Sizes are an attribute or an operand; without them the axis is cut into as equal pieces as there are outputs. */
function split(c: NodeContext): Value[] {
  const x = c.input(0)
  const axis = c.axis(c.attributes.int('axis', 0), x.shape.length)
  const size = x.shape[axis] ?? 0
  const count = c.node.output.length
  const piece = Math.ceil(size / count)
  const equal = c.node.output.map((_, i) => Math.max(0, Math.min(piece, size - i * piece)))
  const sizes = c.setting('split', 1) ?? equal
  const fits = sizes.length === count && sizes.every((part) => part >= 0) && sizes.reduce((a, b) => a + b, 0) === size
  c.require(fits, 'its pieces add up to the axis')
  return ops.split(c.g, x, sizes, axis)
}

/** Starts, ends and axes are attributes before opset 10, then operands. */
function slice(c: NodeContext): Value {
  const x = c.input(0)
  const starts = c.setting('starts', 1) ?? []
  const ends = c.setting('ends', 2) ?? []
  const axes = c.axes(c.setting('axes', 3) ?? starts.map((_, axis) => axis), x.shape.length)
  const steps = c.optional(4) === undefined ? starts.map(() => 1) : c.numbers(4)
  c.require(
    [ends, axes, steps].every((list) => list.length === starts.length),
    'starts, ends, axes and steps are as many',
  )
  c.require(
    steps.every((step) => step !== 0),
    'no step is zero',
  )
  return ops.slice(c.g, x, axes, starts, ends, steps)
}

/** out[p] = x[p with its index on `axis` replaced by indices[p]], as a gather from the flattened tensor. */
function gatherElements(c: NodeContext): Value {
  const [x, indices] = [c.input(0), c.input(1)]
  const axis = c.axis(c.attributes.int('axis', 0), x.shape.length)
  const fits = indices.shape.length === x.shape.length && indices.shape.every((size, a) => a === axis || size <= (x.shape[a] ?? 0))
  c.require(fits, 'its indices fit into its input')
  const strides = stridesOf(x.shape)
  // The position along every other axis, as one constant vector per axis that broadcasts to the indices.
  const offsets = indices.shape.flatMap((size, a) => {
    if (a === axis || size < 2) return []
    const shape = indices.shape.map((_, b) => (b === a ? size : 1))
    return [
      ops.constant(
        c.g,
        indices.dtype,
        shape,
        Array.from({ length: size }, (_, i) => i * (strides[a] ?? 1)),
      ),
    ]
  })
  const along = ops.mul(c.g, fromStart(c, indices, x.shape[axis] ?? 0), ops.fill(c.g, indices.dtype, [], strides[axis] ?? 1))
  const flat = offsets.reduce((sum, offset) => ops.add(c.g, sum, offset), along)
  return ops.gather(c.g, ops.reshape(c.g, x, [elementCount(x.shape)]), flat)
}

/** out[p] = x[indices[p]], the last axis of the indices naming the leading axes of x. */
function gatherND(c: NodeContext): Value {
  const [x, indices] = [c.input(0), c.input(1)]
  if (c.attributes.int('batch_dims', 0) !== 0) throw c.unsupported('batch_dims')
  const depth = indices.shape.at(-1) ?? 0
  c.require(depth > 0 && depth <= x.shape.length, 'the last axis of its indices names axes of its input')
  const leading = x.shape.slice(0, depth)
  const strides = stridesOf(leading)
  const parts = ops.split(
    c.g,
    indices,
    leading.map(() => 1),
    indices.shape.length - 1,
  )
  const flat = parts
    .map((part, i) => ops.mul(c.g, fromStart(c, part, leading[i] ?? 0), ops.fill(c.g, indices.dtype, [], strides[i] ?? 1)))
    .reduce((a, b) => ops.add(c.g, a, b))
  const rows = ops.reshape(c.g, x, [elementCount(leading), ...x.shape.slice(depth)])
  return ops.gather(c.g, rows, ops.reshape(c.g, flat, indices.shape.slice(0, -1)))
}

/** Indices with the negative ones, which count from the end, made positive. */
function fromStart(c: NodeContext, indices: Value, size: number): Value {
  const known = c.known(indices)
  if (known?.data.every((index) => index >= 0)) return indices
  const { g } = c
  const isNegative = ops.compare(g, 'Less', indices, ops.fill(g, indices.dtype, [], 0))
  return ops.where(g, isNegative, ops.shift(g, indices, size), indices)
}

function picture(c: NodeContext): readonly [number, number, number, number] {
  const [n, channels, h, w, ...more] = c.input(0).shape
  c.require(
    n !== undefined && channels !== undefined && h !== undefined && w !== undefined && more.length === 0,
    'its input is [n, c, h, w]',
  )
  return [n, channels, h, w]
}

function blockSize(c: NodeContext): number {
  const block = c.attributes.int('blocksize', 0)
  c.require(block > 0, 'blocksize is positive')
  return block
}
