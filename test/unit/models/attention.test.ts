import { describe, expect, it } from 'vitest'
import { Graph, nodesFor } from '../../../main/engine/graph/graph.ts'
import * as ops from '../../../main/engine/graph/ops/index.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { attention } from '../../../native-models/attention.ts'
import { compute, noise, relativeError, scatteredSegments, segmentPaths } from './fixtures.ts'

const [batch, queries, keys, heads, depth] = [2, 7, 5, 3, 4]
const width = heads * depth
const feeds = { q: noise([batch, queries, width], 1), k: noise([batch, keys, width], 2), v: noise([batch, keys, width], 3) }

/** A lower triangle, for want of a better mask. */
const mask = Array.from({ length: queries * keys }, (_, i) => (i % keys > Math.floor(i / keys) ? -1e4 : 0))

function build(options: { masked?: boolean; maxScoreElements?: number; heads?: number } = {}): Graph {
  const graph = new Graph()
  const query = graph.input('q', 'float32', [batch, queries, width])
  const key = graph.input('k', 'float32', [batch, keys, width])
  const value = graph.input('v', 'float32', [batch, keys, width])
  const g = graph.scope.segment('attn')
  const { maxScoreElements = Infinity } = options
  const bias = options.masked === true ? { mask: ops.constant(g, 'float32', [queries, keys], mask) } : {}
  graph.output('y', attention(g, { query, key, value, heads: options.heads ?? heads, maxScoreElements, ...bias }))
  return graph
}

/** The definition, number by number. */
function reference(headCount: number, masked: boolean): FloatTensor {
  const d = width / headCount
  const result = new Float32Array(batch * queries * width)
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < headCount; h++) {
      for (let i = 0; i < queries; i++) {
        const at = ({ shape, data }: FloatTensor, row: number, c: number): number => data[(b * shape[1]! + row) * width + h * d + c]!
        const scores = Array.from({ length: keys }, (_, j) => {
          let dot = 0
          for (let c = 0; c < d; c++) dot += at(feeds.q, i, c) * at(feeds.k, j, c)
          return Math.exp(dot / Math.sqrt(d) + (masked ? mask[i * keys + j]! : 0))
        })
        const total = scores.reduce((a, b) => a + b, 0)
        for (let c = 0; c < d; c++) {
          const weighted = scores.reduce((sum, score, j) => sum + (score / total) * at(feeds.v, j, c), 0)
          result[(b * queries + i) * width + h * d + c] = weighted
        }
      }
    }
  }
  return float32([batch, queries, width], result)
}

describe('attention', () => {
  it.each([
    [1, false],
    [3, false],
    [3, true],
    [12, true],
  ])('with %i heads (masked: %s) is softmax(q kᵀ / √d + mask) v', async (headCount, masked) => {
    const { y } = await compute(build({ heads: headCount, masked }), feeds)
    expect(relativeError(y, reference(headCount, masked))).toBeLessThan(1e-6)
  })

  it.each([1, 60, 61, 100, 209])('gives the same in chunks of at most %i scores', async (maxScoreElements) => {
    const { y } = await compute(build({ masked: true, maxScoreElements }), feeds)
    expect(relativeError(y, reference(heads, true))).toBeLessThan(1e-6)
  })

  it('in chunks never holds more scores than allowed, and no more chunks than needed', () => {
    const graph = build({ maxScoreElements: 100 })
    const scores = nodesFor(graph.outputs.values()).filter((node) => node.operator === 'Softmax')
    expect(scores.map((node) => node.outputs[0]?.shape)).toEqual([2, 2, 3].map((rows) => [batch, heads, rows, keys]))
  })

  it('is one piece as long as all scores are allowed', () => {
    expect(segmentPaths(build({ maxScoreElements: 210 }))).toEqual(['attn', 'attn.chunk.0'])
    expect(segmentPaths(build({ maxScoreElements: 209 }))).toEqual(['attn', 'attn.chunk.0', 'attn.chunk.1'])
  })

  it('keeps each chunk together in a segment of its own, inside the outer one', () => {
    expect(scatteredSegments(build({ maxScoreElements: 60 }))).toEqual([])
  })

  it('turns each operand once and the result once', () => {
    const transposed = nodesFor(build().outputs.values()).filter((node) => node.operator === 'Transpose')
    expect(transposed).toHaveLength(4)
  })

  it('refuses a width that the heads do not divide', () => {
    expect(() => build({ heads: 5 })).toThrow('divisible by 5 heads')
  })
})
