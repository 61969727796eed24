import { broadcastShapes } from '../../tensor/shape.ts'
import { shapeError, type Scope, type Value } from '../graph.ts'
import { reshape } from './shaping.ts'

/** Batched matrix product: [..., m, k] · [..., k, n] → [..., m, n]; the leading axes broadcast. */
export function matMul(g: Scope, a: Value, b: Value): Value {
  const [m, k] = a.shape.slice(-2)
  const [rows, n] = b.shape.slice(-2)
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2))
  if (m === undefined || k === undefined || n === undefined || k !== rows || batch === undefined || a.dtype !== b.dtype) {
    throw shapeError(g, 'MatMul', [a, b], 'it needs [..., m, k] and [..., k, n]')
  }
  return g.emitOne('MatMul', [a, b], {}, { dtype: a.dtype, shape: [...batch, m, n] })
}

export interface GemmOptions {
  readonly alpha?: number
  readonly beta?: number
  readonly transA?: boolean
  readonly transB?: boolean
}

/** alpha · A · B + beta · C for matrices A [m, k] and B [k, n] (or their transposes), C broadcasting to [m, n]. */
export function gemm(g: Scope, a: Value, b: Value, c: Value | undefined, options: GemmOptions = {}): Value {
  const { alpha = 1, beta = 1, transA = false, transB = false } = options
  const [m, k] = transA ? a.shape.toReversed() : a.shape
  const [rows, n] = transB ? b.shape.toReversed() : b.shape
  if (a.shape.length !== 2 || b.shape.length !== 2 || m === undefined || n === undefined || k !== rows || a.dtype !== b.dtype) {
    throw shapeError(g, 'Gemm', [a, b], 'it needs two matrices with one inner size')
  }
  return g.emitOne('Gemm', [a, b, c], { alpha, beta, transA, transB }, { dtype: a.dtype, shape: [m, n] })
}

/**
 * Linear layer: x [..., in] → [..., out] with weight [out, in] as stored by PyTorch, so no transposed copy of the weight is
 * ever made: `Gemm` reads it transposed.
 */
export function linear(g: Scope, x: Value, weight: Value, bias?: Value): Value {
  const inner = x.shape.at(-1)
  const [out, columns] = weight.shape
  if (inner === undefined || out === undefined || inner !== columns)
    throw shapeError(g, 'Linear', [x, weight], 'it needs [..., in] and [out, in]')
  const rows = x.shape.slice(0, -1)
  const flat = reshape(g, x, [rows.reduce((a, b) => a * b, 1), inner])
  return reshape(g, gemm(g, flat, weight, bias, { transB: true }), [...rows, out])
}
