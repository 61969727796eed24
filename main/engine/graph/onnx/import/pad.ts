import type { Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { NodeContext } from './node-context.ts'

/** Pads and value are attributes before opset 11, then operands; negative pads cut off. */
export function pad(c: NodeContext): Value {
  const x = c.input(0)
  const rank = x.shape.length
  const given = c.setting('pads', 1) ?? []
  const axes = c.axes(c.optional(3) === undefined ? [...x.shape.keys()] : c.numbers(3), rank)
  c.require(given.length === 2 * axes.length && given.every(Number.isSafeInteger), 'it has a begin and an end per axis')
  const sizeAt = (axis: number, end: number): number => (axes.includes(axis) ? given[axes.indexOf(axis) + end * axes.length]! : 0)
  const begins = x.shape.map((_, axis) => sizeAt(axis, 0))
  const ends = x.shape.map((_, axis) => sizeAt(axis, 1))
  const cut = crop(c, x, begins, ends)
  const pads = [...begins, ...ends].map((size) => Math.max(size, 0))
  const mode = c.attributes.text('mode', 'constant')
  if (mode === 'wrap') return wrap(c, cut, begins, ends)
  c.require(mode === 'constant' || mode === 'reflect' || mode === 'edge', `its mode is not ${mode}`)
  const fits = mode !== 'reflect' || pads.every((size, i) => size === 0 || size < (cut.shape[i % rank] ?? 0))
  c.require(fits, 'the border is smaller than what it mirrors')
  return ops.pad(c.g, cut, pads, mode, mode === 'constant' ? borderValue(c) : 0)
}

function borderValue(c: NodeContext): number {
  if (c.attributes.has('value')) return c.attributes.float('value', 0)
  return c.optional(2) === undefined ? 0 : c.number(2)
}

function crop(c: NodeContext, x: Value, begins: readonly number[], ends: readonly number[]): Value {
  const axes = [...x.shape.keys()].filter((axis) => begins[axis]! < 0 || ends[axis]! < 0)
  const starts = axes.map((axis) => Math.max(-begins[axis]!, 0))
  const stops = axes.map((axis) => x.shape[axis]! - Math.max(-ends[axis]!, 0))
  c.require(
    axes.every((_, i) => stops[i]! >= starts[i]!),
    'it cuts off no more than there is',
  )
  return axes.length === 0 ? x : ops.slice(c.g, x, axes, starts, stops)
}

/** The border is filled from the other side. */
function wrap(c: NodeContext, x: Value, begins: readonly number[], ends: readonly number[]): Value {
  return [...x.shape.keys()].reduce((value, axis) => {
    const size = x.shape[axis]!
    const [begin, end] = [Math.max(begins[axis]!, 0), Math.max(ends[axis]!, 0)]
    c.require(begin <= size && end <= size, 'the border is no larger than what it repeats')
    const parts = [
      begin > 0 ? [ops.slice(c.g, value, [axis], [size - begin], [size])] : [],
      [value],
      end > 0 ? [ops.slice(c.g, value, [axis], [0], [end])] : [],
    ]
    return ops.concat(c.g, parts.flat(), axis)
  }, x)
}
