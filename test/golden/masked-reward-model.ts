import { saveOnnx } from '../../main/engine/graph/onnx/save-onnx.ts'
import { Graph } from '../../main/engine/graph/graph.ts'
import * as ops from '../../main/engine/graph/ops/index.ts'
import { Random } from '../../main/engine/random/random.ts'

/**
 * Writes a reward model with a gradient: R = Σ tanh(m · (2 p − 1)) / 64 with a random mask m, as that of the golden cases.
 * @param shape [b, 3, h, w] of the pictures
 */
export async function writeMaskedReward(file: string, shape: readonly [number, number, number, number]): Promise<void> {
  const graph = new Graph()
  const { scope } = graph
  const pixels = ops.shift(scope, ops.scale(scope, graph.input('pictures', 'float32', shape), 2), -1)
  const mask = new Random(17).normal('sample', [0], [1, ...shape.slice(1)])
  const masked = ops.arithmetic(scope, 'Mul', pixels, ops.constant(scope, 'float32', mask.shape, [...mask.data]))
  graph.output('score', ops.scale(scope, ops.reduce(scope, 'ReduceSum', ops.unary(scope, 'Tanh', masked), [1, 2, 3]), 1 / 64))
  await saveOnnx(file, graph)
}
