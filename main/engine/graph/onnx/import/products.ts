import { broadcastShapes, sameShape } from '../../../tensor/shape.ts'
import type { Scope, Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import { einsum } from './einsum.ts'
import type { Importer, NodeContext } from './node-context.ts'

export const products: Readonly<Record<string, Importer>> = {
  MatMul: (c) => matMul(c.g, c.input(0), c.input(1)),
  Gemm: gemm,
  Einsum: (c) => einsum(c),
}

/** NumPy's matmul: a vector on the left is a row, on the right a column, and its axis is not in the result. */
export function matMul(g: Scope, a: Value, b: Value): Value {
  const row = a.shape.length === 1
  const column = b.shape.length === 1
  const product = ops.matMul(g, row ? ops.reshape(g, a, [1, ...a.shape]) : a, column ? ops.reshape(g, b, [...b.shape, 1]) : b)
  const shape = [...product.shape]
  if (column) shape.splice(-1, 1)
  if (row) shape.splice(column ? -1 : -2, 1)
  return ops.reshape(g, product, shape)
}

function gemm(c: NodeContext): Value {
  const { attributes } = c
  const bias = c.optional(2)
  const options = {
    alpha: attributes.float('alpha', 1),
    beta: attributes.float('beta', 1),
    transA: attributes.flag('transA'),
    transB: attributes.flag('transB'),
  }
  const product = ops.gemm(c.g, c.input(0), c.input(1), bias, options)
  const fits = bias === undefined || sameShape(broadcastShapes(bias.shape, product.shape) ?? [], product.shape)
  c.require(fits, 'C broadcasts to the product')
  return product
}
