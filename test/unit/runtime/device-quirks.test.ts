import { describe, expect, it } from 'vitest'
import { Graph, nodesFor, type Scope, type Value } from '../../../main/engine/graph/graph.ts'
import { arithmetic, branch, conv, convTranspose, exp, fill, mul, slice } from '../../../main/engine/graph/ops/index.ts'
import { avoidQuirks, type DeviceQuirks } from '../../../main/engine/runtime/device-quirks.ts'
import { Session } from '../../../main/engine/runtime/session.ts'
import { toFloat32, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { spread } from '../autodiff/jacobian.ts'

const NONE: DeviceQuirks = { convTranspose: false, convChannels: false, backwardSlice: false, broadcastPow: false, halfGather: false }

/** The largest difference that avoiding the quirks makes on the CPU, which has none. */
async function difference(shapes: number[][], build: (g: Scope, ...operands: Value[]) => Value, quirks: DeviceQuirks): Promise<number> {
  const graph = new Graph()
  const operands = shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape))
  graph.output('y', build(graph.scope, ...operands))
  const feeds = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, spread(shape, -1, 1, i + 1)]))
  const run = async (avoided: DeviceQuirks): Promise<Tensor | undefined> =>
    (await (await Session.create(graph, { device: 'cpu', quirks: avoided })).run(feeds)).y
  const [plain, other] = [await run(NONE), await run(quirks)]
  if (plain === undefined || other === undefined) return NaN
  expect(other.shape).toEqual(plain.shape)
  const right = toFloat32(other).data
  return Math.max(...toFloat32(plain).data.map((value, i) => Math.abs(value - (right[i] ?? NaN))))
}

describe('a Conv with flipped weights equals ConvTranspose', () => {
  it.each([
    [
      '3×3, padded',
      [
        [2, 3, 5, 4],
        [3, 2, 3, 3],
      ],
      { pads: [1, 1, 1, 1] },
    ],
    [
      'stride 2 with output padding',
      [
        [1, 2, 4, 3],
        [2, 3, 3, 3],
      ],
      { strides: [2, 2], pads: [1, 1, 1, 1], outputPadding: [1, 0] },
    ],
    [
      'dilation',
      [
        [1, 2, 4, 4],
        [2, 2, 2, 2],
      ],
      { dilations: [2, 2] },
    ],
    [
      'groups',
      [
        [1, 4, 3, 3],
        [4, 3, 2, 2],
      ],
      { group: 2, strides: [2, 1] },
    ],
    [
      'crops wider than the kernel reaches',
      [
        [1, 1, 6, 6],
        [1, 1, 1, 1],
      ],
      { pads: [1, 1, 1, 1] },
    ],
    [
      'one axis',
      [
        [2, 2, 5],
        [2, 2, 3],
      ],
      { strides: [3] },
    ],
  ])('%s', async (_, shapes, options) => {
    for (const backwardSlice of [false, true]) {
      const quirks = { ...NONE, convTranspose: true, backwardSlice }
      expect(await difference(shapes, (g, x, w) => convTranspose(g, x, w, undefined, options), quirks)).toBeLessThan(1e-5)
    }
  })

  it('leaves no ConvTranspose behind, in branches neither', () => {
    const graph = new Graph()
    const { scope } = graph
    const x = graph.input('x', 'float32', [1, 1, 2, 2])
    const then = scope.branch('then')
    then.region.results.push(convTranspose(then, x, x))
    const otherwise = scope.branch('else')
    otherwise.region.results.push(fill(otherwise, 'float32', [], 0))
    const [y] = branch(scope, graph.input('gate', 'bool', []), then.region, otherwise.region)
    if (y !== undefined) graph.output('y', mul(scope, y, y))
    const operators = (checked: Graph): string[] => nodesFor(checked.outputs.values()).map((node) => node.operator)
    expect(operators(graph)).toContain('ConvTranspose')
    expect(operators(avoidQuirks(graph, { ...NONE, convTranspose: true }))).not.toContain('ConvTranspose')
  })
})

it('channels of zeros do not change a convolution', async () => {
  const build = (g: Scope, x: Value, w: Value, b: Value): Value => conv(g, x, w, b, { pads: [1, 1, 1, 1], strides: [2, 2] })
  expect(await difference([[2, 9, 5, 5], [4, 9, 3, 3], [4]], build, { ...NONE, convChannels: true })).toBeLessThan(1e-5)
})

it('gathered elements equal a backward slice', async () => {
  const build = (g: Scope, x: Value): Value => slice(g, x, [0, 2], [4, 1], [-7, 6], [-2, 3])
  expect(await difference([[6, 2, 7]], build, { ...NONE, backwardSlice: true })).toBe(0)
})

it('expanding both operands does not change a power', async () => {
  const build = (g: Scope, a: Value, b: Value): Value => arithmetic(g, 'Pow', exp(g, a), b)
  expect(
    await difference(
      [
        [3, 1],
        [1, 4],
      ],
      build,
      { ...NONE, broadcastPow: true },
    ),
  ).toBe(0)
})
