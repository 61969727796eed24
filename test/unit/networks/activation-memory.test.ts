import { describe, expect, it } from 'vitest'
import { Graph, type Value } from '../../../main/engine/graph/graph.ts'
import { add, branch, convTranspose, exp, reshape, tanh } from '../../../main/engine/graph/ops/index.ts'
import { networkBytes, peakActivationBytes } from '../../../main/engine/networks/activation-memory.ts'

/** Bytes of the tensors below: 256 float32 numbers. */
const TENSOR = 1024
const conditions = { device: 'cuda', gateOpen: true } as const

/** A graph whose output is made from an input of 256 numbers. */
function graphOf(build: (graph: Graph, x: Value) => Value): Graph {
  const graph = new Graph()
  graph.output('y', build(graph, graph.input('x', 'float32', [256])))
  return graph
}

/** x → tanh → … as a chain. */
const chain = (graph: Graph, x: Value, length: number): Value =>
  Array.from({ length }).reduce<Value>((value) => tanh(graph.scope, value), x)

describe('the most bytes of activations alive at once', () => {
  it('are two tensors of a chain, however long', () => {
    for (const length of [2, 5, 50]) {
      expect(peakActivationBytes(graphOf((graph, x) => chain(graph, x, length)), conditions)).toBe(2 * TENSOR)
    }
  })

  it('hold what is read again later', () => {
    const graph = graphOf((g, x) => {
      const early = exp(g.scope, x)
      return add(g.scope, early, chain(g, early, 5))
    })
    expect(peakActivationBytes(graph, conditions)).toBe(3 * TENSOR)
  })

  it('count the bytes of a reshaped tensor once', () => {
    const graph = graphOf((g, x) => tanh(g.scope, reshape(g.scope, tanh(g.scope, x), [16, 16])))
    expect(peakActivationBytes(graph, conditions)).toBe(2 * TENSOR)
  })

  it('hold outputs to the end', () => {
    const graph = graphOf((g, x) => chain(g, x, 5))
    graph.output('z', chain(graph, graph.inputs[0]!, 3))
    expect(peakActivationBytes(graph, conditions)).toBe(3 * TENSOR)
  })

  it('are those of the branch that is taken, with what it captures', () => {
    const graph = graphOf((g, x) => {
      const kept = exp(g.scope, x)
      const gate = g.input('gate', 'bool', [])
      const then = g.scope.branch('then')
      const doubled = add(then, kept, exp(then, kept))
      then.region.results.push(add(then, add(then, doubled, exp(then, doubled)), doubled))
      const otherwise = g.scope.branch('else')
      otherwise.region.results.push(exp(otherwise, x))
      return branch(g.scope, gate, then.region, otherwise.region)[0]!
    })
    // Taken: kept, doubled, their exponential and its sum. Not taken: kept, which the other branch might have read, and the result.
    expect(peakActivationBytes(graph, conditions)).toBe(4 * TENSOR)
    expect(peakActivationBytes(graph, { ...conditions, gateOpen: false })).toBe(2 * TENSOR)
  })

  it('count float16 as what the CPU widens it to', () => {
    const graph = new Graph()
    graph.output('y', tanh(graph.scope, tanh(graph.scope, graph.input('x', 'float16', [256]))))
    expect(peakActivationBytes(graph, conditions)).toBe(TENSOR)
    expect(peakActivationBytes(graph, { ...conditions, device: 'cpu' })).toBe(2 * TENSOR)
  })

  it('count the columns that the CPU makes for a transposed convolution', () => {
    const graph = new Graph()
    const weight = graph.input('w', 'float32', [2, 3, 3, 3])
    graph.output('y', convTranspose(graph.scope, graph.input('x', 'float32', [1, 2, 8, 8]), weight, undefined, { pads: [1, 1, 1, 1] }))
    const output = 4 * 3 * 8 * 8
    expect(peakActivationBytes(graph, conditions)).toBe(output)
    expect(peakActivationBytes(graph, { ...conditions, device: 'cpu' })).toBe(output + 4 * 3 * 3 * 3 * 8 * 8)
  })
})

describe('the bytes of a network', () => {
  const bytes = (recomputed: boolean, backward: boolean): number => {
    const graph = graphOf((g, x) => ['a', 'b', 'c', 'd'].reduce((value, name) => {
      const segment = g.scope.segment(name)
      return tanh(segment, tanh(segment, tanh(segment, tanh(segment, value))))
    }, x))
    return networkBytes(graph, { output: 'y', wrt: ['x'], recompute: () => recomputed, backward, device: 'cuda' })
  }

  it('are fewer when segments are recomputed, and fewer still without their gradient', () => {
    expect(bytes(true, true)).toBeLessThan(bytes(false, true) * 0.75)
    expect(bytes(true, false)).toBeLessThan(bytes(true, true))
  })
})
