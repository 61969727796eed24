import type { Graph, Node, Scope, Value } from '../graph/graph.ts'
import { rewrite } from '../graph/rewrite.ts'
import { arithmetic, cast, constant, conv, expand, gather, pad, reshape, slice, spaceOut, transpose } from '../graph/ops/index.ts'
import type { Device } from '../protocol.ts'
import { sameShape } from '../tensor/shape.ts'
import { isMiscomputedConv } from './operator-support.ts'

/** Operators that a device computes wrongly, and that are written in another way for it. */
export interface DeviceQuirks {
  /** ConvTranspose is wrong, as a probe of the device found: a Conv with flipped weights stands in for it. */
  readonly convTranspose: boolean
  /** Conv is wrong for some numbers of channels: zeros are added until the number is right. */
  readonly convChannels: boolean
  /** Slice is wrong with a negative step: the elements are gathered instead. */
  readonly backwardSlice: boolean
  /** Pow fails when both operands broadcast: they are expanded first. */
  readonly broadcastPow: boolean
  /** Half-precision tables cannot be looked up without half-precision arithmetic: they are widened first, once, at loading. */
  readonly halfGather: boolean
}

/** What is known of a device without asking it; whether ConvTranspose is right depends on its driver, and only a probe tells. */
export function knownQuirks(device: Device): DeviceQuirks {
  // Found by `npm run test:device` on ONNX Runtime 1.30.
  const webgpu = device === 'webgpu'
  return { convTranspose: false, convChannels: webgpu, backwardSlice: webgpu, broadcastPow: webgpu, halfGather: webgpu }
}

/** The graph with everything that the device computes wrongly written in another way; the graph itself if there is nothing. */
export function avoidQuirks(graph: Graph, quirks: DeviceQuirks): Graph {
  if (!Object.values(quirks).includes(true)) return graph
  return rewrite(graph, (g, node, inputs, valueOf) => {
    if (quirks.convTranspose && node.operator === 'ConvTranspose') return convTransposeAsConv(g, node, inputs, quirks)
    if (quirks.convChannels && isMiscomputedConv(node)) return convWithMoreChannels(g, node, inputs)
    if (quirks.backwardSlice && node.operator === 'Slice') return gatheredSlice(g, node, inputs)
    if (quirks.halfGather && node.operator === 'Cast') return gatherFromWidened(g, node, valueOf)
    if (quirks.broadcastPow && node.operator === 'Pow') return expandedPow(g, node, inputs)
    return undefined
  })
}

type NodeOfKind<O extends Node['operator']> = Extract<Node, { operator: O }>

/**
 * A transposed convolution scatters each input element times the kernel; gathering instead, it is a convolution of the input
 * with stride − 1 zeros between its elements, by the flipped kernel with input and output channels exchanged within each group.
 */
function convTransposeAsConv(
  g: Scope,
  node: NodeOfKind<'ConvTranspose'>,
  [x, weight, bias]: readonly (Value | undefined)[],
  quirks: DeviceQuirks,
): Value | undefined {
  if (x === undefined || weight === undefined) return undefined
  const { strides, pads, dilations, group, outputPadding } = node.attributes
  const [channels = 1, perGroup = 1, ...kernel] = weight.shape
  const axes = kernel.map((_, i) => i + 2)
  const spaced = axes.reduce((value, axis, i) => spaceOut(g, value, axis, strides[i] ?? 1), x)
  // Where the transposed convolution would crop, the convolution pads less; a negative border cuts.
  const borders = kernel.map((size, i) => {
    const reach = (size - 1) * (dilations[i] ?? 1)
    return { begin: reach - (pads[i] ?? 0), end: reach - (pads[i + kernel.length] ?? 0) + (outputPadding[i] ?? 0) }
  })
  const bordered = withBorders(g, spaced, borders)
  const flipped = quirks.backwardSlice
    ? axes.reduce((value, axis, i) => gatherRange(g, value, axis, (kernel[i] ?? 1) - 1, -1, kernel[i] ?? 1), weight)
    : slice(
        g,
        weight,
        axes,
        kernel.map((size) => size - 1),
        kernel.map((size) => -size - 1),
        kernel.map(() => -1),
      )
  const grouped = reshape(g, flipped, [group, channels / group, perGroup, ...kernel])
  const exchanged = transpose(g, grouped, [0, 2, 1, ...axes.map((axis) => axis + 1)])
  return conv(g, bordered, reshape(g, exchanged, [group * perGroup, channels / group, ...kernel]), bias, { dilations, group })
}

function withBorders(g: Scope, x: Value, borders: readonly { readonly begin: number; readonly end: number }[]): Value {
  const grow = (size: number): number => Math.max(0, size)
  const padded = pad(g, x, [0, 0, ...borders.map(({ begin }) => grow(begin)), 0, 0, ...borders.map(({ end }) => grow(end))])
  const axes = borders.map((_, i) => i + 2)
  const starts = borders.map(({ begin }) => grow(-begin))
  const ends = borders.map(({ end }, i) => (padded.shape[i + 2] ?? 0) - grow(-end))
  return slice(g, padded, axes, starts, ends)
}

/** The same convolution over channels of zeros up to the next multiple of four. */
function convWithMoreChannels(g: Scope, node: NodeOfKind<'Conv'>, [x, weight, bias]: readonly (Value | undefined)[]): Value | undefined {
  if (x === undefined || weight === undefined) return undefined
  const channels = x.shape[1] ?? 1
  const extra = Math.ceil(channels / 4) * 4 - channels
  const grown = (value: Value): Value =>
    pad(g, value, [...value.shape.map(() => 0), ...value.shape.map((_, axis) => (axis === 1 ? extra : 0))])
  return conv(g, grown(x), grown(weight), bias, node.attributes)
}

function gatheredSlice(g: Scope, node: NodeOfKind<'Slice'>, [x]: readonly (Value | undefined)[]): Value | undefined {
  const { axes, starts, steps } = node.attributes
  const [y] = node.outputs
  if (x === undefined || y === undefined || steps.every((step) => step > 0)) return undefined
  return axes.reduce((value, axis, i) => gatherRange(g, value, axis, starts[i] ?? 0, steps[i] ?? 1, y.shape[axis] ?? 0), x)
}

/** widen(gather(table)) becomes gather(widen(table)), where the table is a weight: the runtime widens it once and for all. */
function gatherFromWidened(g: Scope, node: NodeOfKind<'Cast'>, valueOf: (value: Value) => Value): Value | undefined {
  const source = node.inputs[0]?.source
  if (node.attributes.to !== 'float32' || source?.kind !== 'node' || source.node.operator !== 'Gather') return undefined
  const [table, indices] = source.node.inputs
  if (table?.source.kind !== 'weight' || table.dtype !== 'float16' || indices === undefined) return undefined
  return gather(g, cast(g, valueOf(table), 'float32'), valueOf(indices), source.node.attributes.axis)
}

/** `count` elements of an axis from `start` on. */
function gatherRange(g: Scope, x: Value, axis: number, start: number, step: number, count: number): Value {
  const indices = Array.from({ length: count }, (_, i) => start + i * step)
  return gather(g, x, constant(g, 'int64', [count], indices), axis)
}

function expandedPow(g: Scope, node: NodeOfKind<'Pow'>, [base, exponent]: readonly (Value | undefined)[]): Value | undefined {
  const [y] = node.outputs
  if (base === undefined || exponent === undefined || y === undefined) return undefined
  if (sameShape(base.shape, y.shape) || sameShape(exponent.shape, y.shape)) return undefined
  return arithmetic(g, 'Pow', expand(g, base, y.shape), expand(g, exponent, y.shape))
}
