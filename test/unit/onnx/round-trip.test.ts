import { describe, expect, it } from 'vitest'
import { Graph, nodesFor } from '../../../main/engine/graph/graph.ts'
import { readOnnx } from '../../../main/engine/graph/onnx/read.ts'
import { writeOnnx } from '../../../main/engine/graph/onnx/write.ts'
import * as ops from '../../../main/engine/graph/ops/index.ts'
import { Session } from '../../../main/engine/runtime/session.ts'
import { elementCount } from '../../../main/engine/tensor/shape.ts'
import { float32, int64, toFloat32, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { spread } from '../autodiff/jacobian.ts'
import { OPERATORS, oneNodeGraph } from '../runtime/one-node-graphs.ts'

/** Something to feed every input of a graph. */
function feedsOf(graph: Graph): Record<string, Tensor> {
  return Object.fromEntries(graph.inputs.map(({ name, dtype, shape }, i) => [name, feed(dtype, shape, i)]))
}

function feed(dtype: Tensor['dtype'], shape: readonly number[], salt: number): Tensor {
  const count = elementCount(shape)
  const numbers = Array.from({ length: count }, (_, i) => (i + salt) % 3)
  if (dtype === 'int64') return int64(shape, numbers)
  if (dtype === 'int32') return { dtype, shape, data: Int32Array.from(numbers) }
  if (dtype === 'bool') return { dtype, shape, data: Uint8Array.from(numbers, (number) => number % 2) }
  return spread(shape, 0.2, 2, salt)
}

async function run(graph: Graph): Promise<Record<string, Tensor>> {
  const session = await Session.create(graph, { device: 'cpu', threads: 1 })
  const results = await session.run(feedsOf(graph))
  await session.dispose()
  return results
}

function reread(graph: Graph): Graph {
  return readOnnx(writeOnnx(graph).bytes, { file: 'written.onnx' })
}

describe('a written model', () => {
  it.each(OPERATORS)('reads back as the same computation: %s', async (operator) => {
    const graph = oneNodeGraph(operator)
    const again = reread(graph)
    expect(again.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(
      graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    )
    const operators = (of: Graph) => nodesFor(of.outputs.values()).map((node) => node.operator)
    expect(operators(again)).toEqual(operators(graph))
    const [before, after] = [await run(graph), await run(again)]
    expect(after.y?.shape).toEqual(before.y?.shape)
    expect(toFloat32(after.y!).data).toEqual(toFloat32(before.y!).data)
  })

  it('keeps inputs that are outputs, and outputs named like nodes', async () => {
    const graph = new Graph()
    const x = graph.input('x', 'float32', [2])
    graph.output('x', x)
    graph.output('same', x)
    graph.output('y.output.Add_0', ops.add(graph.scope, x, x))
    const results = await run(reread(reread(graph)))
    expect(Object.keys(results)).toEqual(['x', 'same', 'y.output.Add_0'])
    expect([...toFloat32(results['y.output.Add_0']!).data]).toEqual([...toFloat32(results.x!).data].map((value) => 2 * value))
  })

  it('keeps what was stored for each name, equal or not', () => {
    const graph = new Graph()
    const ones = float32([2], [1, 1])
    graph.output(
      'y',
      ops.mul(graph.scope, graph.parameter('a', ones), ops.add(graph.scope, graph.parameter('b', ones), graph.input('x', 'float32', [2]))),
    )
    const { parameters } = reread(graph)
    expect([...parameters.keys()].sort()).toEqual(['a', 'b'])
    expect(parameters.get('a')).not.toBe(parameters.get('b'))
  })
})
