import { describe, expect, it } from 'vitest'
import { Graph } from '../../../main/engine/graph/graph.ts'
import { cast, mul, scale, tanh } from '../../../main/engine/graph/ops/index.ts'
import { DifferentiableNetwork } from '../../../main/engine/networks/differentiable-network.ts'
import { keptActivationBytes, recomputedSegments } from '../../../main/engine/networks/recomputation.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

/** y = 2 tanh(x)², in float32 or with everything between in float16. */
function squash(compute: 'float32' | 'float16', gain = 2): Graph {
  const graph = new Graph()
  const g = graph.scope.segment('squash')
  const t = tanh(g, cast(g, graph.input('x', 'float32', [3]), compute))
  graph.output('y', cast(graph.scope, scale(g, mul(g, t, t), gain), 'float32'))
  return graph
}

const x = float32([3], [-1, 0.5, 2])
const slopes = (gain: number): number[] => [...x.data].map((value) => 2 * gain * Math.tanh(value) * (1 - Math.tanh(value) ** 2))

describe('a differentiable network', () => {
  it('runs forward alone and forward with backward in one session', async () => {
    const network = await DifferentiableNetwork.create(squash('float32'), { device: 'cpu', outputs: ['y'], wrt: ['x'] })
    const { y } = await network.forward({ x })
    const { outputs, gradients } = await network.vjp({ x }, { y: float32([3], [1, 1, 1]) })
    expect(y).toEqual(outputs.y)
    slopes(2).forEach((slope, i) => expect(gradients.x?.data[i]).toBeCloseTo(slope, 5))
    await network.dispose()
  })

  it('keeps gradients in half precision that would vanish without a loss scale', async () => {
    // The upstream gradient is below float16's smallest number, 6e-8.
    const tiny = 2e-8
    const network = await DifferentiableNetwork.create(squash('float16'), { device: 'cpu', compute: 'float16', outputs: ['y'], wrt: ['x'] })
    const { gradients } = await network.vjp({ x }, { y: float32([3], [tiny, tiny, tiny]) })
    slopes(2).forEach((slope, i) => expect((gradients.x?.data[i] ?? 0) / tiny / slope).toBeCloseTo(1, 1))
    await network.dispose()
  })

  it('lowers the loss scale when half precision overflows', async () => {
    const network = await DifferentiableNetwork.create(squash('float16'), { device: 'cpu', compute: 'float16', outputs: ['y'], wrt: ['x'] })
    const { gradients } = await network.vjp({ x }, { y: float32([3], [1000, 1000, 1000]) })
    slopes(2000).forEach((slope, i) => expect((gradients.x?.data[i] ?? 0) / slope).toBeCloseTo(1, 1))
    await network.dispose()
  })

  it('refuses an input of another shape, naming it', async () => {
    const network = await DifferentiableNetwork.create(squash('float32'), { device: 'cpu', outputs: ['y'], wrt: ['x'] })
    await expect(network.forward({ x: float32([2], [1, 2]) })).rejects.toThrow('The input x is float32 2, but the model takes float32 3.')
    await expect(network.forward({})).rejects.toThrow('The input x was not given.')
    await network.dispose()
  })
})

describe('what is recomputed', () => {
  const outer = { path: 'outer', parent: undefined }
  const nested = { path: 'outer.chunk', parent: outer }

  it('is everything for blocks, only nested segments for attention', async () => {
    const blocks = await recomputedSegments(squash('float32'), 'blocks', 'cpu')
    const attention = await recomputedSegments(squash('float32'), 'attention', 'cpu')
    expect([blocks(outer), blocks(nested), attention(outer), attention(nested)]).toEqual([true, true, false, true])
  })

  it('is only attention when everything else fits the memory, and all when it does not', async () => {
    const small = await recomputedSegments(squash('float32'), 'auto', 'cpu')
    const graph = new Graph()
    const huge = graph.input('x', 'float32', [2 ** 20, 2 ** 20])
    graph.output('y', tanh(graph.scope, huge))
    const large = await recomputedSegments(graph, 'auto', 'cpu')
    expect([small(outer), large(outer)]).toEqual([false, true])
  })

  it('counts the bytes of what the forward pass makes, nested segments and reshapes left out', () => {
    // Three float32 results of three numbers: tanh, its square, the scaled square; the output's cast is none.
    expect(keptActivationBytes(squash('float32'))).toBe(3 * 3 * Float32Array.BYTES_PER_ELEMENT)
  })
})
