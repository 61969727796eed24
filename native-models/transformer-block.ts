import type { Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import { attention } from './attention.ts'
import type { Module } from './module.ts'

/** PyTorch's default for layer norms, which diffusers leaves as it is. */
const NORM_EPSILON = 1e-5

export interface TransformerBlockOptions {
  readonly heads: number
  /** The first attention attends to the context as well, instead of to x itself. */
  readonly onlyCrossAttention: boolean
  readonly upcastAttention: boolean
}

/** Self-attention, cross-attention and gated feed-forward, each on a layer norm of x and added to it: x [b, n, c], context [b, m, d]. */
export function transformerBlock(m: Module, x: Value, context: Value, options: TransformerBlockOptions): Value {
  const g = m.scope
  const first = m.layerNorm('norm1', x, NORM_EPSILON)
  const afterSelf = ops.add(g, x, attentionLayer(m.at('attn1'), first, options.onlyCrossAttention ? context : first, options))
  const second = m.layerNorm('norm2', afterSelf, NORM_EPSILON)
  const afterCross = ops.add(g, afterSelf, attentionLayer(m.at('attn2'), second, context, options))
  return ops.add(g, afterCross, feedForward(m.at('ff'), m.layerNorm('norm3', afterCross, NORM_EPSILON)))
}

function attentionLayer(m: Module, x: Value, context: Value, { heads, upcastAttention }: TransformerBlockOptions): Value {
  const width = x.shape[2] ?? 1
  const query = m.linear('to_q', x, width, { bias: false })
  const key = m.linear('to_k', context, width, { bias: false })
  const value = m.linear('to_v', context, width, { bias: false })
  const { maxScoreElements } = m
  return m.linear('to_out.0', attention(m.scope, { query, key, value, heads, upcast: upcastAttention, maxScoreElements }), width)
}

/** GEGLU: net.2(a · gelu(b)) with [a, b] = net.0.proj(x), both four times as wide as x (Shazeer 2020). */
function feedForward(m: Module, x: Value): Value {
  const width = x.shape[2] ?? 1
  const [a, b] = m.linearPieces('net.0.proj', x, [4 * width, 4 * width])
  return m.linear('net.2', ops.mul(m.scope, a!, ops.gelu(m.scope, b!)), width)
}
