import { shapeError, type Scope, type Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'

export interface AttentionOperands {
  /** [b, n, heads·d] */
  readonly query: Value
  /** [b, m, heads·d] */
  readonly key: Value
  /** [b, m, heads·d] */
  readonly value: Value
  readonly heads: number
  /** [n, m], added to the scores. */
  readonly mask?: Value
  /** Compute the scores and their softmax in float32 whatever the operands' type. */
  readonly upcast?: boolean
  /** Upper bound for the elements of one score tensor [b, heads, chunk of n, m]. */
  readonly maxScoreElements?: number
}

/** Heads as the products take them: q [b, heads, n, d], k already transposed [b, heads, d, m], v [b, heads, m, d]. */
interface Heads {
  readonly q: Value
  readonly k: Value
  readonly v: Value
}

/**
 * Multi-head scaled dot-product attention, softmax(q kᵀ / √d + mask) v per head (Vaswani et al. 2017), as plain operators.
 *
 * Each row of scores stands for itself, so the queries may be cut into chunks. Each chunk is a segment of its own: its result
 * is kept, its scores, by far the largest tensors of a network, are not, and neither pass ever holds more than one chunk's.
 */
export function attention(g: Scope, operands: AttentionOperands): Value {
  const { query, key, value, heads, mask } = operands
  const [batch, queries, width] = query.shape
  const keys = key.shape[1]
  const fits = width !== undefined && width % heads === 0 && key.shape[2] === width && value.shape[1] === keys
  if (!fits || batch === undefined || queries === undefined || keys === undefined) {
    throw shapeError(g, 'Attention', [query, key, value], `it needs [b, n, c], [b, m, c] and [b, m, …] with c divisible by ${heads} heads`)
  }
  const split = { q: splitHeads(g, query, heads), k: splitKeys(g, key, heads), v: splitHeads(g, value, heads) }
  const upcast = operands.upcast ?? false
  const bounds = chunkBounds(queries, batch * heads * keys, operands.maxScoreElements ?? Infinity)
  const chunks = bounds.map(([start, end], i) => {
    const inner = g.segment(`chunk.${i}`)
    const q = ops.slice(inner, split.q, [2], [start], [end])
    const rows = mask === undefined ? undefined : ops.slice(inner, mask, [0], [start], [end])
    return attend(inner, { ...split, q }, rows, upcast)
  })
  return mergeHeads(g, ops.concat(g, chunks, 2))
}

function attend(g: Scope, { q, k, v }: Heads, mask: Value | undefined, upcast: boolean): Value {
  const dtype = upcast ? 'float32' : q.dtype
  // Scaling the queries instead of the scores touches d instead of m numbers per query, and keeps float16 scores small.
  const scaled = ops.scale(g, ops.cast(g, q, dtype), 1 / Math.sqrt(q.shape[3] ?? 1))
  const scores = ops.matMul(g, scaled, ops.cast(g, k, dtype))
  const masked = mask === undefined ? scores : ops.add(g, scores, ops.cast(g, mask, dtype))
  return ops.matMul(g, ops.cast(g, ops.softmax(g, masked), v.dtype), v)
}

/** [b, n, heads·d] → [b, heads, n, d] */
function splitHeads(g: Scope, x: Value, heads: number): Value {
  const [batch = 1, length = 1, width = 1] = x.shape
  // With a single head the two orders are the same bytes.
  if (heads === 1) return ops.reshape(g, x, [batch, 1, length, width])
  return ops.transpose(g, ops.reshape(g, x, [batch, length, heads, width / heads]), [0, 2, 1, 3])
}

/** [b, m, heads·d] → [b, heads, d, m] in a single transposition. */
function splitKeys(g: Scope, x: Value, heads: number): Value {
  const [batch = 1, length = 1, width = 1] = x.shape
  return ops.transpose(g, ops.reshape(g, x, [batch, length, heads, width / heads]), [0, 2, 3, 1])
}

/** [b, heads, n, d] → [b, n, heads·d] */
function mergeHeads(g: Scope, x: Value): Value {
  const [batch = 1, heads = 1, length = 1, depth = 1] = x.shape
  const rows = heads === 1 ? x : ops.transpose(g, x, [0, 2, 1, 3])
  return ops.reshape(g, rows, [batch, length, heads * depth])
}

/** Cuts `queries` rows of `rowElements` scores each into the fewest near-equal chunks under the limit (of one row at least). */
function chunkBounds(queries: number, rowElements: number, limit: number): [start: number, end: number][] {
  const rows = Math.min(queries, Math.max(1, Math.floor(limit / rowElements)))
  const count = Math.ceil(queries / rows)
  const at = (i: number): number => Math.floor((i * queries) / count)
  return Array.from({ length: count }, (_, i) => [at(i), at(i + 1)])
}
