import { elementCount } from '../../../tensor/shape.ts'
import { float32, int64 } from '../../../tensor/tensor.ts'
import type { Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import { checkedShape, elementType, readTensor } from '../read-tensor.ts'
import { importedType } from './imported-type.ts'
import type { Importer, NodeContext } from './node-context.ts'

/** Constants made of more elements than this are refused: they would be written into the model. */
const MAX_MADE = 2 ** 22

/** Operators whose result is known while importing, or that pass their operand on. */
export const constants: Readonly<Record<string, Importer>> = {
  Constant: constant,
  Identity: (c) => c.input(0),
  // Nothing is dropped at inference; the mask then lets everything through.
  Dropout: (c: NodeContext) => {
    if (c.optional(2) !== undefined && c.number(2) !== 0) throw c.unsupported('training_mode')
    return [c.input(0), ops.expand(c.g, ops.fill(c.g, 'bool', [], 1), c.input(0).shape)]
  },
  Shape: (c: NodeContext) => {
    const { shape } = c.input(0)
    return integers(c, shape.slice(c.attributes.int('start', 0), c.attributes.has('end') ? c.attributes.int('end', 0) : undefined))
  },
  Size: (c) => c.g.graph.constant(int64([], [elementCount(c.input(0).shape)]), c.g.join('size')),
  Range: (c: NodeContext) => {
    const [start, limit, step] = [c.number(0), c.number(1), c.number(2)]
    const count = Math.max(Math.ceil((limit - start) / step), 0)
    if (!(count <= MAX_MADE)) throw c.unsupported(`${count} elements`)
    return ops.constant(
      c.g,
      c.input(0).dtype,
      [count],
      Array.from({ length: count }, (_, i) => start + i * step),
    )
  },
  ConstantOfShape: (c: NodeContext) => {
    const shape = checkedShape(c.numbers(0), 'the result of ConstantOfShape', c.file)
    const stored = c.attributes.tensor('value')
    const value = stored === undefined ? float32([1], [0]) : readTensor(stored, c.file)
    c.require(value.data.length === 1, 'its value is a single number')
    return ops.expand(c.g, ops.reshape(c.g, c.g.graph.constant(value, c.g.join('value')), []), shape)
  },
  EyeLike: (c: NodeContext) => {
    const [rows = 0, columns = 0, ...more] = c.input(0).shape
    c.require(more.length === 0 && c.input(0).shape.length === 2, 'its input is a matrix')
    const number = c.attributes.int('dtype', 0)
    const type = number === 0 ? c.input(0).dtype : importedType(elementType(number, 'the result of EyeLike', c.file))
    const offset = c.attributes.int('k', 0)
    return ops.cast(
      c.g,
      diagonals(c, rows, columns, (row, column) => column - row === offset),
      type,
    )
  },
  // Keeps what lies on and below (above) a diagonal of the last two axes.
  Trilu: (c: NodeContext) => {
    const x = c.input(0)
    const [rows = 0, columns = 0] = x.shape.slice(-2)
    c.require(x.shape.length > 1, 'its input has rows and columns')
    const offset = c.optional(1) === undefined ? 0 : c.number(1)
    const isUpper = c.attributes.flag('upper', true)
    const kept = diagonals(c, rows, columns, (row, column) => (isUpper ? column - row >= offset : column - row <= offset))
    return ops.where(c.g, kept, x, ops.fill(c.g, x.dtype, [], 0))
  },
  OneHot: (c: NodeContext) => {
    const { g } = c
    const indices = ops.cast(g, c.input(0), 'int64')
    const depth = c.number(1)
    const rank = indices.shape.length + 1
    const axis = c.axis(c.attributes.int('axis', -1), rank)
    if (!(depth >= 0 && depth <= MAX_MADE)) throw c.unsupported(`${depth} classes`)
    const classes = ops.constant(
      g,
      'int64',
      Array.from({ length: rank }, (_, a) => (a === axis ? depth : 1)),
      Array.from({ length: depth }, (_, i) => i),
    )
    const isNegative = ops.compare(g, 'Less', indices, ops.fill(g, 'int64', [], 0))
    const positive = ops.where(g, isNegative, ops.shift(g, indices, depth), indices)
    const column = ops.reshape(g, positive, [...indices.shape.slice(0, axis), 1, ...indices.shape.slice(axis)])
    const value = (index: number): Value => ops.reshape(g, ops.slice(g, c.input(2), [0], [index], [index + 1]), [])
    c.require(c.input(2).shape.length === 1 && c.input(2).shape[0] === 2, 'its values are off and on')
    return ops.where(g, ops.compare(g, 'Equal', column, classes), value(1), value(0))
  },
}

function constant(c: NodeContext): Value {
  const { attributes } = c
  const name = c.node.output[0] ?? ''
  const tensor = attributes.tensor('value')
  if (tensor !== undefined) return c.stored(tensor, name)
  const floats = attributes.floats('value_floats')
  if (floats !== undefined) return ops.constant(c.g, 'float32', [floats.length], floats)
  const ints = attributes.ints('value_ints')
  if (ints !== undefined) return integers(c, ints)
  if (attributes.has('value_float')) return ops.constant(c.g, 'float32', [], [attributes.float('value_float', 0)])
  if (attributes.has('value_int')) return c.g.graph.constant(int64([], [attributes.int('value_int', 0)]), c.g.join('value'))
  throw c.unsupported('a value that is sparse or a string')
}

function integers(c: NodeContext, values: readonly number[]): Value {
  return c.g.graph.constant(int64([values.length], values), c.g.join('values'))
}

/** A constant matrix of truth values. */
function diagonals(c: NodeContext, rows: number, columns: number, holds: (row: number, column: number) => boolean): Value {
  if (rows * columns > MAX_MADE) throw c.unsupported(`${rows}×${columns} elements`)
  const values = Array.from({ length: rows * columns }, (_, i) => (holds(Math.floor(i / columns), i % columns) ? 1 : 0))
  return ops.constant(c.g, 'bool', [rows, columns], values)
}
