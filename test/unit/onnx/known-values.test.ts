import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodesFor } from '../../../main/engine/graph/graph.ts'
import { openOnnx } from '../../../main/engine/graph/onnx/open-onnx.ts'
import { readOnnx } from '../../../main/engine/graph/onnx/read.ts'
import { isFloat } from '../../../main/engine/tensor/dtype.ts'
import { float32, int64, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { buildModel, declared, node, stored } from './build-model.ts'

const FOLDER = join(import.meta.dirname, '../../golden/onnx')

/** What a chain of nodes on the shape [2, 3, 8] of x comes to, found by using it as the shape of a constant. */
function shapeFrom(nodes: ReturnType<typeof node>[], constants: Record<string, Tensor> = {}): readonly number[] | undefined {
  const bytes = buildModel({
    node: [node('Shape', ['x'], ['shape']), ...nodes, node('ConstantOfShape', ['sizes'], ['y'])],
    initializer: Object.entries(constants).map(([name, tensor]) => stored(name, tensor)),
    input: [declared('x', 'float32', [2, 3, 8])],
    output: [declared('y', 'float32')],
  })
  return readOnnx(bytes, { file: 'model.onnx' }).outputs.get('y')?.shape
}

const one = int64([1], [1])
const two = int64([1], [2])

describe('sizes computed from shapes', () => {
  it.each([
    ['transformer', { batch: 2 }],
    ['convnext', { height: 16, width: 12 }],
    ['unet', { height: 8, width: 12 }],
  ])('leave no integers to the runtime in %s', async (name, dimensions) => {
    const graph = await openOnnx(join(FOLDER, `${name}.onnx`), { dimensions: dimensions as unknown as Record<string, number> })
    const integers = nodesFor(graph.outputs.values()).filter((made) => made.outputs.some(({ dtype }) => !isFloat(dtype)))
    expect(integers.map((made) => made.name)).toEqual([])
  })

  it.each<[string, ReturnType<typeof node>[], Record<string, Tensor>, number[]]>([
    [
      'picked, scaled and joined',
      [node('Gather', ['shape', 'i'], ['a']), node('Mul', ['a', 'two'], ['b']), node('Concat', ['b', 'one'], ['sizes'], { axis: 0 })],
      { i: two, two, one },
      [16, 1],
    ],
    ['divided towards zero', [node('Div', ['shape', 'two'], ['sizes'])], { two }, [1, 1, 4]],
    [
      'by way of floats',
      [
        node('Cast', ['shape'], ['f'], { to: 1 }),
        node('Mul', ['f', 'scale'], ['g']),
        node('Floor', ['g'], ['h']),
        node('Cast', ['h'], ['sizes'], { to: 7 }),
      ],
      { scale: float32([], [1.5]) },
      [3, 4, 12],
    ],
    [
      'chosen',
      [node('Equal', ['shape', 'three'], ['is']), node('Where', ['is', 'one', 'shape'], ['sizes'])],
      { three: int64([1], [3]), one },
      [2, 1, 8],
    ],
    [
      'cut and multiplied',
      [node('Slice', ['shape', 'one', 'three'], ['a']), node('ReduceProd', ['a'], ['sizes'])],
      { one, three: int64([1], [3]) },
      [24],
    ],
    [
      'reversed',
      [node('Slice', ['shape', 'last', 'before', 'zero', 'back'], ['sizes'])],
      { last: int64([1], [-1]), before: int64([1], [-99]), zero: int64([1], [0]), back: int64([1], [-1]) },
      [8, 3, 2],
    ],
    [
      'tiled, expanded and transposed',
      [
        node('Unsqueeze', ['shape', 'one'], ['a']),
        node('Tile', ['a', 'twice'], ['b']),
        node('Transpose', ['b'], ['c']),
        node('Reshape', ['c', 'flat'], ['sizes']),
      ],
      { one, twice: int64([2], [1, 2]), flat: int64([1], [-1]) },
      [2, 3, 8, 2, 3, 8],
    ],
    [
      'counted',
      [node('Size', ['x'], ['n']), node('Unsqueeze', ['n', 'zero'], ['m']), node('Mod', ['m', 'seven'], ['sizes'])],
      { zero: int64([1], [0]), seven: int64([1], [7]) },
      [6],
    ],
    [
      'bounded',
      [node('Min', ['shape', 'three'], ['a']), node('Clip', ['a', 'low'], ['sizes'])],
      { three: int64([1], [3]), low: int64([], [3]) },
      [3, 3, 3],
    ],
    ['ranged', [node('Range', ['a', 'b', 'c'], ['sizes'])], { a: int64([], [1]), b: int64([], [4]), c: int64([], [1]) }, [1, 2, 3]],
  ])('come to numbers: %s', (_, nodes, constants, expected) => expect(shapeFrom(nodes, constants)).toEqual(expected))
})
