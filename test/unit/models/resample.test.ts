import { expect, it } from 'vitest'
import { Graph } from '../../../main/engine/graph/graph.ts'
import type { Value } from '../../../main/engine/graph/graph.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { Module } from '../../../native-models/module.ts'
import { downsample, upsample } from '../../../native-models/resample.ts'
import { compute, layout } from './fixtures.ts'

type Layer = (m: Module, x: Value) => Value

/** The layer on a picture of one channel, its convolution picking the centre of each window. */
async function apply(layer: Layer, height: number, width: number): Promise<{ shape: readonly number[]; rows: number[][] }> {
  const graph = new Graph()
  const x = graph.input('x', 'float32', [1, 1, height, width])
  graph.output('y', layer(Module.root(graph.scope, layout([]), { trainable: () => true }), x))
  const feeds = {
    x: float32(x.shape, Array.from({ length: height * width }, (_, i) => i)),
    'sampler.conv.weight': float32([1, 1, 3, 3], [0, 0, 0, 0, 1, 0, 0, 0, 0]),
    'sampler.conv.bias': float32([1], [0]),
  }
  const { y } = await compute(graph, feeds)
  const columns = y!.shape[3]!
  const numbers = [...y!.data].map(Number)
  return { shape: y!.shape, rows: Array.from({ length: y!.shape[2]! }, (_, row) => numbers.slice(row * columns, (row + 1) * columns)) }
}

it('upsampling repeats every number in both directions', async () => {
  const { rows } = await apply((m, x) => upsample(m, 'sampler', x), 2, 2)
  expect(rows).toEqual([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]])
})

it('upsampling to an odd size drops the last repetition, as nearest-neighbour sampling does', async () => {
  const { rows } = await apply((m, x) => upsample(m, 'sampler', x, [3, 5]), 2, 3)
  expect(rows).toEqual([[0, 0, 1, 1, 2], [0, 0, 1, 1, 2], [3, 3, 4, 4, 5]])
})

it('upsampling to anything that is not twice the size is refused', async () => {
  await expect(apply((m, x) => upsample(m, 'sampler', x, [5, 4]), 2, 2)).rejects.toThrow('5×4 is not twice its height and width')
})

it('downsampling with padding 1 begins at the first number, with padding 0 at the second', async () => {
  expect((await apply((m, x) => downsample(m, 'sampler', x, 1), 4, 4)).rows).toEqual([[0, 2], [8, 10]])
  expect((await apply((m, x) => downsample(m, 'sampler', x, 0), 4, 4)).rows).toEqual([[5, 7], [13, 15]])
})

it('downsampling rounds odd sizes up with padding 1', async () => {
  expect((await apply((m, x) => downsample(m, 'sampler', x, 1), 3, 5)).shape).toEqual([1, 1, 2, 3])
})
