import type { Scope, Value } from '../../graph/graph.ts'
import { gemm, matMul, scale, transpose } from '../../graph/ops/index.ts'
import { rule, type RuleTable } from '../rule.ts'
import { unbroadcast } from '../unbroadcast.ts'

export const productRules: RuleTable<'MatMul' | 'Gemm'> = {
  // Y = A B:  dA = dY Bᵀ,  dB = Aᵀ dY
  MatMul: rule(({ g, dy, wants, input, node }) => [
    wants(0) ? unbroadcast(g, matMul(g, dy, swapLast(g, input(1))), node.inputs[0]?.shape ?? []) : undefined,
    wants(1) ? unbroadcast(g, matMul(g, swapLast(g, input(0)), dy), node.inputs[1]?.shape ?? []) : undefined,
  ]),
  // Y = α A' B' + β C, where ' is the transpose if asked for:  dA' = α dY B'ᵀ,  dB' = α A'ᵀ dY,  dC = β dY
  Gemm: rule(({ g, dy, wants, input, node }) => {
    const { alpha, beta, transA, transB } = node.attributes
    const left = () =>
      transA
        ? gemm(g, input(1), dy, undefined, { alpha, transA: transB, transB: true })
        : gemm(g, dy, input(1), undefined, { alpha, transB: !transB })
    const right = () =>
      transB
        ? gemm(g, dy, input(0), undefined, { alpha, transA: true, transB: transA })
        : gemm(g, input(0), dy, undefined, { alpha, transA: !transA })
    const bias = node.inputs[2]
    return [
      wants(0) ? left() : undefined,
      wants(1) ? right() : undefined,
      bias !== undefined && wants(2) ? scale(g, unbroadcast(g, dy, bias.shape), beta) : undefined,
    ]
  }),
}

function swapLast(g: Scope, x: Value): Value {
  const rank = x.shape.length
  return transpose(g, x, [...x.shape.keys()].slice(0, rank - 2).concat(rank - 1, rank - 2))
}
