import { expect, it } from 'vitest'
import { buildCnn, type CnnActivation, type CnnConfig } from '../../../native-models/cnn.ts'
import { compute, layout, noise } from './fixtures.ts'

const critic: CnnConfig = {
  layers: [
    { kind: 'conv', channels: 8, kernel: 3, padding: 1 },
    { kind: 'group-norm', groups: 2 },
    { kind: 'activation', activation: 'silu' },
    { kind: 'average-pool', size: 2 },
    { kind: 'conv', channels: 8, kernel: 3, stride: 2, padding: 1 },
    { kind: 'activation', activation: 'leaky-relu' },
    { kind: 'max-pool', size: 2 },
    { kind: 'flatten' },
    { kind: 'linear', features: 4 },
    { kind: 'activation', activation: 'tanh' },
    { kind: 'linear', features: 1 },
  ],
}
const size = { batch: 2, channels: 3, height: 16, width: 8 }

it('gives one number per picture, from weights named as PyTorch’s Sequential names them', async () => {
  const { graph, parameters, outputs } = buildCnn(critic, layout([]), { ...size, trainable: () => true })
  expect(outputs.output.shape).toEqual([2, 1])
  expect(parameters.map(({ name, shape }) => [name, shape])).toEqual([
    ['0.weight', [8, 3, 3, 3]],
    ['0.bias', [8]],
    ['1.weight', [8]],
    ['1.bias', [8]],
    ['4.weight', [8, 8, 3, 3]],
    ['4.bias', [8]],
    ['8.weight', [4, 16]],
    ['8.bias', [4]],
    ['10.weight', [1, 4]],
    ['10.bias', [1]],
  ])
  const feeds = Object.fromEntries(graph.inputs.map(({ name, shape }, i) => [name, noise(shape, i)]))
  const { output } = await compute(graph, feeds)
  expect([...output!.data].map(Number).every(Number.isFinite)).toBe(true)
})

it('averages over height and width on request', () => {
  const { outputs } = buildCnn({ layers: [{ kind: 'global-average' }] }, layout([]), size)
  expect(outputs.output.shape).toEqual([2, 3])
})

const shapes: [CnnActivation, (x: number) => number][] = [
  ['relu', (x) => Math.max(x, 0)],
  ['leaky-relu', (x) => (x < 0 ? 0.01 * x : x)],
  ['silu', (x) => x / (1 + Math.exp(-x))],
  ['gelu', (x) => (x < 0 ? -0.15426877 : 0.34573123)],
  ['tanh', Math.tanh],
  ['sigmoid', (x) => 1 / (1 + Math.exp(-x))],
]

it.each(shapes)('activates by %s', async (activation, formula) => {
  const { graph } = buildCnn({ layers: [{ kind: 'activation', activation }] }, layout([]), { batch: 1, channels: 1, height: 1, width: 2 })
  const { output } = await compute(graph, { pixels: { dtype: 'float32', shape: [1, 1, 1, 2], data: Float32Array.of(-0.5, 0.5) } })
  ;[-0.5, 0.5].forEach((x, i) => expect(Number(output!.data[i])).toBeCloseTo(formula(x), 5))
})

it('refuses a linear layer of the wrong width by the name of its weight', () => {
  const config: CnnConfig = { layers: [{ kind: 'flatten' }, { kind: 'linear', features: 4 }] }
  const weights = layout([{ name: '1.weight', shape: [4, 10] }, { name: '1.bias', shape: [4] }])
  expect(() => buildCnn(config, weights, size)).toThrow('1.weight with shape 4×10')
})
