import { expect, it } from 'vitest'
import { Graph } from '../../../main/engine/graph/graph.ts'
import { CLIP_MEAN, CLIP_STD } from '../../../main/engine/rewards/clip-towers.ts'
import { pictureInput, type PictureInput } from '../../../main/engine/rewards/picture-input.ts'
import { DifferentiableNetwork } from '../../../main/engine/networks/differentiable-network.ts'
import { float32, type FloatTensor, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { compute, noise } from '../models/fixtures.ts'
import { goldenTensor } from './fixtures.ts'

const PLAIN: PictureInput = { height: 28, width: 28, fit: 'crop', mean: [0, 0, 0], std: [1, 1, 1], clamp: true }

function graphOf(shape: readonly number[], input: PictureInput): Graph {
  const graph = new Graph()
  graph.output('pixels', pictureInput(graph.scope, graph.input('pictures', 'float32', shape), input))
  return graph
}

async function apply(pictures: FloatTensor, input: Partial<PictureInput>): Promise<Tensor> {
  const { pixels } = await compute(graphOf(pictures.shape, { ...PLAIN, ...input }), { pictures })
  return pixels!
}

it.each(['40x36', '90x128', '20x17'])('agrees with CLIP’s image processor, which works on bytes with PIL, for %s', async (size) => {
  const bytes = await goldenTensor(`bytes.${size}`)
  const pictures = float32(bytes.shape, bytes.data.map((byte) => byte / 255))
  const pixels = await apply(pictures, { mean: CLIP_MEAN, std: CLIP_STD })
  const reference = await goldenTensor(`processed.${size}`)
  expect(pixels.shape).toEqual(reference.shape)
  // One byte is about 1 / (255 · 0.26) after normalising. All that differs is that PIL rounds to bytes, after each of its two passes.
  const bytesApart = Array.from(reference.data, (value, i) => 255 * 0.26 * Math.abs(value - Number(pixels.data[i])))
  expect(Math.max(...bytesApart)).toBeLessThan(1.1)
  expect(bytesApart.reduce((sum, apart) => sum + apart, 0) / bytesApart.length).toBeLessThan(0.35)
})

it('stretches each side by itself when asked to', async () => {
  const pixels = await apply(noise([1, 3, 10, 50]), { fit: 'stretch', height: 20, width: 5 })
  expect(pixels.shape).toEqual([1, 3, 20, 5])
})

it.each([[7, 1000], [1000, 7], [29, 29], [3, 5]])('gives the wanted size for %s×%s pictures', async (height, width) => {
  expect((await apply(noise([1, 3, height, width]), {})).shape).toEqual([1, 3, 28, 28])
})

it('leaves a picture of the right size as it is', async () => {
  const pictures = float32([1, 3, 28, 28], noise([1, 3, 28, 28]).data.map((x) => (x + 1) / 2))
  expect((await apply(pictures, {})).data).toEqual(pictures.data)
})

it('keeps one colour one colour, up to the edges', async () => {
  const pictures = float32([1, 3, 61, 47], new Float32Array(3 * 61 * 47).fill(0.25))
  const { data } = await apply(pictures, {})
  for (const value of data) expect(Number(value)).toBeCloseTo(0.25, 6)
})

it('limits what lies outside [0, 1] only when clamping', async () => {
  const pictures = float32([1, 3, 28, 28], new Float32Array(3 * 28 * 28).fill(1.5))
  expect((await apply(pictures, { clamp: true })).data[0]).toBe(1)
  expect((await apply(pictures, { clamp: false })).data[0]).toBe(1.5)
})

it('differentiates to its transpose: ⟨u, J v⟩ = ⟨Jᵀ u, v⟩', async () => {
  const input: PictureInput = { ...PLAIN, height: 9, width: 12, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4], clamp: false }
  const [v, u] = [noise([2, 3, 31, 25], 1), noise([2, 3, 9, 12], 2)]
  const options = { device: 'cpu', threads: 1, outputs: ['pixels'], wrt: ['pictures'] } as const
  const network = await DifferentiableNetwork.create(graphOf(v.shape, input), options)
  const nothing = float32(v.shape, new Float32Array(v.data.length))
  const { gradients, outputs } = await network.vjp({ pictures: v }, { pixels: u })
  const { pixels: offset } = await network.forward({ pictures: nothing })
  await network.dispose()
  const forward = u.data.reduce((sum, value, i) => sum + value * ((outputs.pixels?.data[i] ?? 0) - Number(offset?.data[i])), 0)
  const backward = v.data.reduce((sum, value, i) => sum + value * (gradients.pictures?.data[i] ?? 0), 0)
  expect(backward).toBeCloseTo(forward, 2)
})
