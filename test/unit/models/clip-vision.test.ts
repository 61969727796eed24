import { expect, it } from 'vitest'
import { Graph } from '../../../main/engine/graph/graph.ts'
import { readImageEncoder } from '../../../native-models/checkpoint/diffusers-folder.ts'
import { buildClipVision, clipVision } from '../../../native-models/clip-vision.ts'
import { Module } from '../../../native-models/module.ts'
import { compute, golden, openCases, relativeError, scatteredSegments } from './fixtures.ts'

it('agrees with transformers', async () => {
  const { config, weights } = await readImageEncoder(golden('clip-vision-micro/image_encoder'))
  const cases = await openCases(golden('clip-vision-micro/cases.safetensors'))
  const pixels = await cases('vision.pixels')
  const { graph } = buildClipVision(config, weights, { batch: pixels.shape[0] ?? 0 })
  const outputs = await compute(graph, { pixels })
  for (const name of ['last_hidden_state', 'pooled', 'image_embeds']) {
    expect(relativeError(outputs[name], await cases(`vision.${name}`)), name).toBeLessThan(1e-5)
  }
})

it('is built in whole segments', async () => {
  const { config, weights } = await readImageEncoder(golden('clip-vision-micro/image_encoder'))
  expect(scatteredSegments(buildClipVision(config, weights, { batch: 1 }).graph)).toEqual([])
})

it('refuses pictures of another size than it was trained on', async () => {
  const { config, weights } = await readImageEncoder(golden('clip-vision-micro/image_encoder'))
  const graph = new Graph()
  const pixels = graph.input('pixels', 'float32', [1, 3, 224, 40])
  expect(() => clipVision(Module.root(graph.scope, weights), config, pixels)).toThrow('its images are 40×40')
})
