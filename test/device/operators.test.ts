import { describe, expect, it } from 'vitest'
import { vjp } from '../../main/engine/autodiff/vjp.ts'
import { Graph, type Scope, type Value } from '../../main/engine/graph/graph.ts'
import { conv } from '../../main/engine/graph/ops/index.ts'
import type { Device } from '../../main/engine/protocol.ts'
import { Session } from '../../main/engine/runtime/session.ts'
import { toFloat32, type FloatTensor, type Tensor } from '../../main/engine/tensor/tensor.ts'
import { spread } from '../unit/autodiff/jacobian.ts'
import { OPERATOR_CASES } from '../unit/autodiff/operator-cases.ts'
import { testedDevice } from './tested-device.ts'

const device = testedDevice()

/** Value and gradients of a function at a point, for an upstream gradient of varied numbers. */
async function evaluate(
  on: Device,
  at: readonly FloatTensor[],
  build: (g: Scope, ...operands: Value[]) => Value,
): Promise<Record<string, Tensor>> {
  const graph = new Graph()
  const operands = at.map((tensor, i) => graph.input(`x${i}`, 'float32', tensor.shape))
  const y = build(graph.scope, ...operands)
  const u = graph.input('u', 'float32', y.shape)
  graph.output('y', y)
  vjp(graph, [[y, u]], operands).forEach((gradient, i) => graph.output(`dx${i}`, gradient))
  const session = await Session.create(graph, { device: on })
  try {
    return await session.run({ ...Object.fromEntries(at.map((tensor, i) => [`x${i}`, tensor])), u: spread(y.shape, 0.5, 1.5, 9) })
  } finally {
    await session.dispose()
  }
}

/** The largest difference of any output, relative to the largest number in it (at least 1). */
function largestDifference(ours: Record<string, Tensor>, reference: Record<string, Tensor>): number {
  return Math.max(
    ...Object.entries(reference).map(([name, tensor]) => {
      const b = toFloat32(tensor).data
      const a = toFloat32(ours[name] ?? tensor).data
      return Math.max(0, ...b.map((value, i) => Math.abs(value - (a[i] ?? NaN)))) / Math.max(1, ...b.map(Math.abs))
    }),
  )
}

for (const [operator, cases] of Object.entries(OPERATOR_CASES)) {
  // float64 is the CPU's alone; graphs for other devices never hold it.
  if (cases === 'no gradient' || operator === 'Cast') continue
  describe(`${operator} and its gradient on ${device} equal the CPU's`, () => {
    it.each(cases)('%s', async (_, at, build) => {
      expect(largestDifference(await evaluate(device, at, build), await evaluate('cpu', at, build))).toBeLessThan(1e-3)
    })
  })
}

it.each([3, 6, 9, 15, 18])(`a convolution of %i channels on ${device} equals the CPU's`, async (channels) => {
  const at = [spread([1, channels, 6, 6]), spread([4, channels, 3, 3], -1, 1, 2)]
  const build = (g: Scope, x: Value, w: Value): Value => conv(g, x, w, undefined, { pads: [1, 1, 1, 1] })
  expect(largestDifference(await evaluate(device, at, build), await evaluate('cpu', at, build))).toBeLessThan(1e-3)
})
