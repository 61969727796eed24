import type { Scope, Value } from '../../graph/graph.ts'
import { add, cast, compare, constant, fill, gemm, pad, reshape, slice, spaceOut, sum, transpose } from '../../graph/ops/index.ts'
import { rule, type RuleTable } from '../rule.ts'
import { unbroadcast } from '../unbroadcast.ts'

export const shapingRules: RuleTable<'Reshape' | 'Transpose' | 'Expand' | 'Tile' | 'Concat' | 'Slice' | 'Pad' | 'Gather'> = {
  Reshape: rule(({ g, dy, node }) => [reshape(g, dy, node.inputs[0]?.shape ?? [])]),
  // The inverse permutation.
  Transpose: rule(({ g, dy, node }) => [
    transpose(
      g,
      dy,
      node.attributes.perm.map((_, axis) => node.attributes.perm.indexOf(axis)),
    ),
  ]),
  Expand: rule(({ g, dy, node }) => [unbroadcast(g, dy, node.inputs[0]?.shape ?? [])]),
  // Sum over the repeats: [r₀·s₀, …] → [r₀, s₀, …] → [s₀, …].
  Tile: rule(({ g, dy, node }) => {
    const shape = node.inputs[0]?.shape ?? []
    const unrolled = shape.flatMap((size, axis) => [node.attributes.repeats[axis] ?? 1, size])
    return [
      sum(
        g,
        reshape(g, dy, unrolled),
        shape.map((_, axis) => 2 * axis),
      ),
    ]
  }),
  Concat: rule(({ g, dy, wants, node }) => {
    const { axis } = node.attributes
    let start = 0
    return node.inputs.map((operand, index) => {
      const size = operand?.shape[axis] ?? 0
      const piece = wants(index) ? slice(g, dy, [axis], [start], [start + size]) : undefined
      start += size
      return piece
    })
  }),
  // Back to where the elements came from, zeros elsewhere, axis by axis.
  Slice: rule(({ g, dy, node }) => {
    const { axes, starts, steps } = node.attributes
    const shape = node.inputs[0]?.shape ?? []
    return [axes.reduce((gradient, axis, i) => unslice(g, gradient, axis, starts[i] ?? 0, steps[i] ?? 1, shape[axis] ?? 0), dy)]
  }),
  // The border's gradient is dropped, or goes to the elements it was copied from.
  Pad: rule(({ g, dy, node }) => {
    const { pads, mode } = node.attributes
    const shape = node.inputs[0]?.shape ?? []
    return [
      shape.reduce((gradient, size, axis) => unpad(g, gradient, axis, size, pads[axis] ?? 0, pads[axis + shape.length] ?? 0, mode), dy),
    ]
  }),
  // Rows picked several times get the sum: one-hot(indices)ᵀ · dy (Scatter with reduction is missing on several devices).
  Gather: rule(({ g, dy, input, node }) => {
    const { axis } = node.attributes
    const [x, indices] = node.inputs
    if (x === undefined || indices === undefined) return []
    const size = x.shape[axis] ?? 0
    const before = x.shape.slice(0, axis)
    const after = x.shape.slice(axis + 1)
    const count = indices.shape.reduce((a, b) => a * b, 1)
    const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)
    // [before, indices, after] → [indices, before · after]
    const rows = reshape(g, transpose(g, reshape(g, dy, [product(before), count, product(after)]), [1, 0, 2]), [count, -1])
    const sums = gemm(g, oneHot(g, input(1), count, size, dy), rows, undefined, { transA: true })
    return [reshape(g, transpose(g, reshape(g, sums, [size, product(before), product(after)]), [1, 0, 2]), x.shape), undefined]
  }),
}

/** [count, size] with a one where the column is the row's index; negative indices count from the end. */
function oneHot(g: Scope, indices: Value, count: number, size: number, like: Value): Value {
  const column = reshape(g, indices, [count, 1])
  const numbers = (first: number): Value =>
    constant(
      g,
      indices.dtype,
      [1, size],
      Array.from({ length: size }, (_, i) => first + i),
    )
  const hits = cast(g, compare(g, 'Equal', column, numbers(0)), like.dtype)
  return add(g, hits, cast(g, compare(g, 'Equal', column, numbers(-size)), like.dtype))
}

/** The transpose of taking elements start, start + step, … of an axis of `size`. */
function unslice(g: Scope, dy: Value, axis: number, start: number, step: number, size: number): Value {
  const count = dy.shape[axis] ?? 0
  if (step < 0) return unslice(g, reverse(g, dy, axis), axis, start + (count - 1) * step, -step, size)
  if (count === 0) return fill(g, dy.dtype, dy.shape.with(axis, size), 0)
  const spread = step === 1 ? dy : spaceOut(g, dy, axis, step)
  const length = (count - 1) * step + 1
  return padAxis(g, spread, axis, start, size - start - length)
}

function unpad(g: Scope, dy: Value, axis: number, size: number, begin: number, end: number, mode: 'constant' | 'reflect' | 'edge'): Value {
  if (begin === 0 && end === 0) return dy
  const part = (from: number, to: number): Value => slice(g, dy, [axis], [from], [to])
  let gradient = part(begin, begin + size)
  if (mode === 'edge') {
    // The first (last) element was repeated over the whole border.
    if (begin > 0) gradient = add(g, gradient, padAxis(g, sum(g, part(0, begin), [axis], true), axis, 0, size - 1))
    if (end > 0) gradient = add(g, gradient, padAxis(g, sum(g, part(begin + size, begin + size + end), [axis], true), axis, size - 1, 0))
  }
  if (mode === 'reflect') {
    // Border element i before the start mirrors x[begin − i]; element i past the end mirrors x[size − 2 − i].
    if (begin > 0) gradient = add(g, gradient, padAxis(g, reverse(g, part(0, begin), axis), axis, 1, size - 1 - begin))
    if (end > 0) gradient = add(g, gradient, padAxis(g, reverse(g, part(begin + size, begin + size + end), axis), axis, size - 1 - end, 1))
  }
  return gradient
}

function reverse(g: Scope, x: Value, axis: number): Value {
  const size = x.shape[axis] ?? 0
  return size < 2 ? x : slice(g, x, [axis], [size - 1], [-size - 1], [-1])
}

function padAxis(g: Scope, x: Value, axis: number, begin: number, end: number): Value {
  const rank = x.shape.length
  const pads = new Array<number>(2 * rank).fill(0)
  pads[axis] = begin
  pads[axis + rank] = end
  return pad(g, x, pads)
}
