import { isFloat, type DType } from '../../../tensor/dtype.ts'
import { elementCount, stridesOf, type Shape } from '../../../tensor/shape.ts'
import { zeros, type Tensor } from '../../../tensor/tensor.ts'
import type { Node, NodeOf, ValueType } from '../../graph.ts'
import type { Operator } from '../../operators.ts'
import { toBigInt } from '../read-tensor.ts'

/** A tensor as plain numbers. */
interface Numbers {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: readonly number[]
}

/** The elements of a node's output, row-major; undefined when they cannot be worked out. */
type Evaluator<O extends Operator> = (node: NodeOf<O>, operands: readonly Numbers[], shape: Shape) => readonly number[] | undefined

/** Computes one node on small known tensors; undefined for operators that no computation of shapes uses. */
export function evaluate(node: Node, type: ValueType, operands: readonly Tensor[]): Tensor | undefined {
  // The table's entry for an operator takes that operator's nodes; indexing by a union loses the pairing.
  const evaluator = EVALUATORS[node.operator] as Evaluator<Operator> | undefined
  const numbers = evaluator?.(node, operands.map(toNumbers), type.shape)
  return numbers === undefined ? undefined : toTensor(type, numbers)
}

const toNumbers = ({ dtype, shape, data }: Tensor): Numbers => ({ dtype, shape, data: Array.from<number | bigint, number>(data, Number) })

function toTensor({ dtype, shape }: ValueType, numbers: readonly number[]): Tensor | undefined {
  if (numbers.length !== elementCount(shape) || (!isFloat(dtype) && !numbers.every(Number.isFinite))) return undefined
  const tensor = zeros(dtype, shape)
  const { data } = tensor
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    numbers.forEach((number, i) => (data[i] = toBigInt(Math.trunc(number), dtype)))
  else data.set(numbers)
  return tensor
}

const each =
  (f: (x: number) => number) =>
  (_node: unknown, [x]: readonly Numbers[]) =>
    x?.data.map(f)

const none = (): number => NaN

/** Element by element over up to three operands that broadcast. */
const broadcast = (f: (a: number, b: number, c: number) => number) => (_node: unknown, operands: readonly Numbers[], shape: Shape) => {
  const readers = operands.map((operand) => reader(operand, shape))
  const [a = none, b = none, c = none] = readers
  return Array.from({ length: elementCount(shape) }, (_, i) => f(a(i), b(i), c(i)))
}

const compare = (f: (a: number, b: number) => boolean) => broadcast((a, b) => (f(a, b) ? 1 : 0))

/** Folds the reduced axes of the operand, starting from the first element met. */
const reduce =
  (f: (a: number, b: number) => number) =>
  (node: { readonly attributes: { readonly axes: readonly number[] } }, [x]: readonly Numbers[]) => {
    if (x === undefined) return undefined
    const kept = x.shape.map((size, axis) => (node.attributes.axes.includes(axis) ? 1 : size))
    const results = new Array<number | undefined>(elementCount(kept)).fill(undefined)
    const strides = stridesOf(kept)
    x.data.forEach((number, i) => {
      const position = positionOf(i, x.shape)
      const target = position.reduce((sum, index, axis) => sum + (kept[axis] === 1 ? 0 : index * strides[axis]!), 0)
      const sofar = results[target]
      results[target] = sofar === undefined ? number : f(sofar, number)
    })
    return results.every((result) => result !== undefined) ? results : undefined
  }

const EVALUATORS: { readonly [O in Operator]?: Evaluator<O> } = {
  Abs: each(Math.abs),
  Neg: each((x) => -x),
  Sqrt: each(Math.sqrt),
  Exp: each(Math.exp),
  Log: each(Math.log),
  Reciprocal: each((x) => 1 / x),
  Floor: each(Math.floor),
  Ceil: each(Math.ceil),
  Round: each(roundToEven),
  Sign: each(Math.sign),
  Not: each((x) => (x === 0 ? 1 : 0)),
  Relu: each((x) => Math.max(x, 0)),
  Cast: (node, [x]) => (node.attributes.to === 'bool' ? x?.data.map((number) => (number === 0 ? 0 : 1)) : x?.data),
  Clip: ({ attributes: { min, max } }, [x]) => x?.data.map((number) => Math.min(Math.max(number, min), max)),
  Add: broadcast((a, b) => a + b),
  Sub: broadcast((a, b) => a - b),
  Mul: broadcast((a, b) => a * b),
  // Integers divide towards zero; what is stored in an integer tensor is truncated.
  Div: broadcast((a, b) => a / b),
  Pow: broadcast((a, b) => a ** b),
  Max: broadcast((a, b) => Math.max(a, b)),
  Min: broadcast((a, b) => Math.min(a, b)),
  Equal: compare((a, b) => a === b),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  And: compare((a, b) => a !== 0 && b !== 0),
  Or: compare((a, b) => a !== 0 || b !== 0),
  Where: broadcast((condition, a, b) => (condition === 0 ? b : a)),
  ReduceSum: reduce((a, b) => a + b),
  ReduceMax: reduce(Math.max),
  ReduceMin: reduce(Math.min),
  Reshape: (_, [x]) => x?.data,
  Expand: broadcast((x) => x),
  Transpose: ({ attributes: { perm } }, [x], shape) =>
    x && arrange(x, shape, (position) => perm.map((_, axis) => position[perm.indexOf(axis)]!)),
  Tile: (_, [x], shape) => x && arrange(x, shape, (position) => position.map((index, axis) => index % x.shape[axis]!)),
  Slice: ({ attributes: { axes, starts, steps } }, [x], shape) =>
    x &&
    arrange(x, shape, (position) =>
      position.map((index, axis) => {
        const i = axes.indexOf(axis)
        return i === -1 ? index : starts[i]! + index * steps[i]!
      }),
    ),
  Concat: ({ attributes: { axis } }, operands, shape) => {
    const ends = operands.reduce<number[]>((all, { shape: { [axis]: size = 0 } }) => [...all, (all.at(-1) ?? 0) + size], [])
    return Array.from({ length: elementCount(shape) }, (_, i) => {
      const position = positionOf(i, shape)
      const which = ends.findIndex((end) => position[axis]! < end)
      const x = operands[which]!
      return x.data[indexOf(position.with(axis, position[axis]! - (ends[which - 1] ?? 0)), x.shape)]!
    })
  },
  Gather: ({ attributes: { axis } }, [x, indices], shape) => {
    if (x === undefined || indices === undefined) return undefined
    const size = x.shape[axis]!
    const rank = indices.shape.length
    if (indices.data.some((index) => index < -size || index >= size)) return undefined
    return arrange(x, shape, (position) => {
      const index = indices.data[indexOf(position.slice(axis, axis + rank), indices.shape)]!
      return [...position.slice(0, axis), index < 0 ? index + size : index, ...position.slice(axis + rank)]
    })
  },
}

/** Each element of the result from where it lies in x. */
function arrange(x: Numbers, shape: Shape, from: (position: number[]) => number[]): number[] {
  return Array.from({ length: elementCount(shape) }, (_, i) => x.data[indexOf(from(positionOf(i, shape)), x.shape)]!)
}

/** Reads the element of an operand that meets element i of the shape it is broadcast to. */
function reader(operand: Numbers, shape: Shape): (i: number) => number {
  if (operand.data.length === 1) return () => operand.data[0]!
  const added = shape.length - operand.shape.length
  return (i) =>
    operand.data[
      indexOf(
        positionOf(i, shape)
          .slice(added)
          .map((index, axis) => (operand.shape[axis] === 1 ? 0 : index)),
        operand.shape,
      )
    ]!
}

function positionOf(i: number, shape: Shape): number[] {
  return stridesOf(shape).map((stride, axis) => Math.floor(i / stride) % shape[axis]!)
}

function indexOf(position: readonly number[], shape: Shape): number {
  return stridesOf(shape).reduce((sum, stride, axis) => sum + stride * position[axis]!, 0)
}

/** ONNX rounds halves to the even neighbour. */
function roundToEven(x: number): number {
  const rounded = Math.round(x)
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}
