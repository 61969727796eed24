import { Graph, type Scope, type Value } from '../../../main/engine/graph/graph.ts'
import { vjp } from '../../../main/engine/autodiff/vjp.ts'
import { Session } from '../../../main/engine/runtime/session.ts'
import { elementCount, type Shape } from '../../../main/engine/tensor/shape.ts'
import { float32, toFloat32, type FloatTensor, type Tensor } from '../../../main/engine/tensor/tensor.ts'

/** A function of float operands, and the point at which to look at it. */
export interface JacobianCase {
  readonly at: readonly FloatTensor[]
  readonly build: (g: Scope, ...operands: Value[]) => Value
}

/**
 * The Jacobian [outputs, operand elements] of each operand, once by our rules (one upstream unit vector per output element)
 * and once by centred differences (f(x + h) − f(x − h)) / 2h.
 */
export async function jacobians({ at, build }: JacobianCase, step = 1e-2): Promise<{ ours: number[][][]; differences: number[][][] }> {
  const graph = new Graph()
  const operands = at.map((tensor, i) => graph.input(`x${i}`, 'float32', tensor.shape))
  const y = build(graph.scope, ...operands)
  const upstream = graph.input('u', 'float32', y.shape)
  graph.output('y', y)
  vjp(graph, [[y, upstream]], operands).forEach((gradient, i) => graph.output(`dx${i}`, gradient))
  const session = await Session.create(graph, { device: 'cpu' })
  try {
    const feeds = (tensors: readonly FloatTensor[], u: FloatTensor): Record<string, Tensor> => ({
      ...Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, tensor])),
      u,
    })
    const zero = float32(y.shape, new Float32Array(elementCount(y.shape)))
    const evaluate = async (tensors: readonly FloatTensor[]): Promise<Float32Array> => {
      const { y: result } = await session.run(feeds(tensors, zero), ['y'])
      return toFloat32(result ?? zero).data
    }

    const ours: number[][][] = at.map(() => [])
    for (let row = 0; row < elementCount(y.shape); row++) {
      const results = await session.run(feeds(at, nudged(zero, row, 1)))
      at.forEach((tensor, i) => ours[i]?.push([...toFloat32(results[`dx${i}`] ?? tensor).data]))
    }

    const differences: number[][][] = []
    for (const [i, tensor] of at.entries()) {
      const columns: number[][] = []
      for (let element = 0; element < tensor.data.length; element++) {
        const up = await evaluate(at.with(i, nudged(tensor, element, step)))
        const down = await evaluate(at.with(i, nudged(tensor, element, -step)))
        columns.push([...up].map((value, row) => (value - (down[row] ?? 0)) / (2 * step)))
      }
      differences.push(Array.from({ length: elementCount(y.shape) }, (_, row) => columns.map((column) => column[row] ?? 0)))
    }
    return { ours, differences }
  } finally {
    await session.dispose()
  }
}

/** Numbers spread over [low, high] in a shuffled but fixed order, at least (high − low)/count apart: no ties, no kinks hit. */
export function spread(shape: Shape, low = -1.4, high = 1.6, salt = 1): FloatTensor {
  const count = elementCount(shape)
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => scramble(a + salt * 101) - scramble(b + salt * 101))
  return float32(
    shape,
    order.map((position) => low + ((high - low) * (position + 0.5)) / count),
  )
}

/** Largest difference of two Jacobians, relative to the largest entry (at least 1). */
export function jacobianError(a: number[][], b: number[][]): number {
  const flatA = a.flat()
  const flatB = b.flat()
  const size = Math.max(1, ...flatB.map(Math.abs))
  return Math.max(0, ...flatA.map((value, i) => Math.abs(value - (flatB[i] ?? NaN)))) / size
}

function nudged(tensor: FloatTensor, element: number, by: number): FloatTensor {
  const data = tensor.data.slice()
  data[element] = (data[element] ?? 0) + by
  return float32(tensor.shape, data)
}

/** A fixed hash of an integer to [0, 1). */
function scramble(i: number): number {
  const value = Math.sin(i * 12.9898) * 43758.5453
  return value - Math.floor(value)
}
