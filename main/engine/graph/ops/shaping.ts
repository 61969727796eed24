import { broadcastShapes, elementCount, sameShape, type Shape } from '../../tensor/shape.ts'
import { shapeError, type Scope, type Value } from '../graph.ts'

/** The same elements under another shape; one size may be −1 and is then whatever is left. */
export function reshape(g: Scope, x: Value, shape: Shape): Value {
  const known = shape.filter((size) => size !== -1).reduce((a, b) => a * b, 1)
  const full = shape.map((size) => (size === -1 ? elementCount(x.shape) / known : size))
  if (elementCount(full) !== elementCount(x.shape) || !full.every(Number.isInteger))
    throw shapeError(g, 'Reshape', [x], `[${shape.join(', ')}] holds another number of elements`)
  return sameShape(full, x.shape) ? x : g.emitOne('Reshape', [x], {}, { dtype: x.dtype, shape: full })
}

/** Axis i of the result is axis perm[i] of x. */
export function transpose(g: Scope, x: Value, perm: readonly number[]): Value {
  if (perm.length !== x.shape.length || new Set(perm).size !== perm.length)
    throw shapeError(g, 'Transpose', [x], `[${perm.join(', ')}] is no permutation of its axes`)
  if (perm.every((axis, i) => axis === i)) return x
  return g.emitOne('Transpose', [x], { perm }, { dtype: x.dtype, shape: perm.map((axis) => x.shape[axis] ?? 0) })
}

/** x repeated along its axes of size 1 (and new leading axes) to fill `shape`. */
export function expand(g: Scope, x: Value, shape: Shape): Value {
  const result = broadcastShapes(x.shape, shape)
  if (result === undefined) throw shapeError(g, 'Expand', [x], `it cannot fill [${shape.join(', ')}]`)
  return sameShape(result, x.shape) ? x : g.emitOne('Expand', [x], {}, { dtype: x.dtype, shape: result })
}

export function tile(g: Scope, x: Value, repeats: readonly number[]): Value {
  return g.emitOne('Tile', [x], { repeats }, { dtype: x.dtype, shape: x.shape.map((size, axis) => size * (repeats[axis] ?? 1)) })
}

/** Joins values along one axis; all other sizes must agree. */
export function concat(g: Scope, values: readonly Value[], axis: number): Value {
  const [first] = values
  if (first === undefined) throw shapeError(g, 'Concat', [], 'it needs at least one operand')
  const at = normalizeAxis(axis, first.shape.length)
  const fits = values.every((value) => value.dtype === first.dtype && sameShape(value.shape.with(at, 0), first.shape.with(at, 0)))
  if (!fits) throw shapeError(g, 'Concat', values, `all sizes but that of axis ${at} must agree`)
  if (values.length === 1) return first
  const size = values.reduce((sum, value) => sum + (value.shape[at] ?? 0), 0)
  return g.emitOne('Concat', values, { axis: at }, { dtype: first.dtype, shape: first.shape.with(at, size) })
}

/**
 * Elements start, start + step, … (before end) of each named axis. Starts and ends are clamped to the axis and negative ones
 * count from its end, as in ONNX; the attributes of the node hold what came of that.
 */
export function slice(
  g: Scope,
  x: Value,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[] = axes.map(() => 1),
): Value {
  const shape = [...x.shape]
  const from: number[] = []
  const to: number[] = []
  const at = axes.map((axis) => normalizeAxis(axis, x.shape.length))
  at.forEach((axis, i) => {
    const size = x.shape[axis] ?? 0
    const step = steps[i] ?? 1
    const limit = step > 0 ? size : size - 1
    const start = clamp(wrap(starts[i] ?? 0, size), 0, limit)
    const end = clamp(wrap(ends[i] ?? size, size), step > 0 ? 0 : -1, size)
    shape[axis] = Math.max(0, Math.ceil((end - start) / step))
    from.push(start)
    // ONNX reads −1 as "the last element", so a backward slice down to the first one ends at −size − 1.
    to.push(end === -1 ? -size - 1 : end)
  })
  if (sameShape(shape, x.shape) && steps.every((step) => step === 1)) return x
  return g.emitOne('Slice', [x], { axes: at, starts: from, ends: to, steps }, { dtype: x.dtype, shape })
}

/** Cuts x along one axis into pieces of the given sizes. */
export function split(g: Scope, x: Value, sizes: readonly number[], axis: number): Value[] {
  let start = 0
  return sizes.map((size) => {
    const piece = slice(g, x, [axis], [start], [start + size])
    start += size
    return piece
  })
}

/** Adds a border: `pads` lists all begins, then all ends, one per axis of x. */
export function pad(g: Scope, x: Value, pads: readonly number[], mode: 'constant' | 'reflect' | 'edge' = 'constant', value = 0): Value {
  const rank = x.shape.length
  if (pads.length !== 2 * rank) throw shapeError(g, 'Pad', [x], 'it needs a begin and an end per axis')
  if (pads.every((size) => size === 0)) return x
  const shape = x.shape.map((size, axis) => size + (pads[axis] ?? 0) + (pads[axis + rank] ?? 0))
  return g.emitOne('Pad', [x], { pads, mode, value }, { dtype: x.dtype, shape })
}

/** Puts step − 1 zeros between neighbours along an axis: the transpose of taking every step-th element. */
export function spaceOut(g: Scope, x: Value, axis: number, step: number): Value {
  const count = x.shape[axis] ?? 0
  if (step === 1 || count < 2) return x
  const apart = reshape(g, x, [...x.shape.slice(0, axis + 1), 1, ...x.shape.slice(axis + 1)])
  const rank = apart.shape.length
  const pads = new Array<number>(2 * rank).fill(0).with(rank + axis + 1, step - 1)
  const spaced = reshape(g, pad(g, apart, pads), x.shape.with(axis, count * step))
  return slice(g, spaced, [axis], [0], [(count - 1) * step + 1])
}

/** Picks entries of one axis of x by integer indices, whose shape takes that axis's place. */
export function gather(g: Scope, x: Value, indices: Value, axis = 0): Value {
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32') throw shapeError(g, 'Gather', [x, indices], 'indices must be integers')
  const at = normalizeAxis(axis, x.shape.length)
  const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)]
  return g.emitOne('Gather', [x, indices], { axis: at }, { dtype: x.dtype, shape })
}

/** A negative axis counts from the last. */
export function normalizeAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

const wrap = (index: number, size: number): number => (index < 0 ? index + size : index)
const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)
