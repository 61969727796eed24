import { describe, expect, it } from 'vitest'
import { nodesFor } from '../../../main/engine/graph/graph.ts'
import { toFloat32 } from '../../../main/engine/tensor/tensor.ts'
import { readVae } from '../../../native-models/checkpoint/diffusers-folder.ts'
import type { VaeConfig } from '../../../native-models/checkpoint/vae-config.ts'
import { vaeWeights } from '../../../native-models/required-weights.ts'
import { buildVaeDecoder, buildVaeEncoder } from '../../../native-models/vae.ts'
import { compute, golden, layout, noise, openCases, relativeError, scatteredSegments, segmentPaths } from './fixtures.ts'

const config: VaeConfig = {
  inChannels: 3,
  outChannels: 3,
  latentChannels: 4,
  blockOutChannels: [4, 8],
  layersPerBlock: 1,
  normGroups: 2,
  midBlockAttention: true,
  useQuantConv: true,
  usePostQuantConv: true,
  scalingFactor: 1,
  forceUpcast: false,
}

describe('the decoder', () => {
  it('agrees with diffusers when its attention is cut into chunks', async () => {
    const { config, weights } = await readVae(golden('sd21-micro/vae'))
    const cases = await openCases(golden('sd21-micro/cases.safetensors'))
    const latents = await cases('vae.decode.latents')
    const [batch = 0, , latentHeight = 0, latentWidth = 0] = latents.shape
    const { graph } = buildVaeDecoder(config, weights, { batch, latentHeight, latentWidth, maxScoreElements: 10_000 })
    expect(segmentPaths(graph)).toContain('decoder.mid_block.attentions.0.chunk.3')
    expect(scatteredSegments(graph)).toEqual([])
    const { pixels } = await compute(graph, { latents })
    expect(relativeError(pixels, await cases('vae.decode.output'))).toBeLessThan(1e-5)
  })

  it('leaves out what its config leaves out', () => {
    const bare = { ...config, midBlockAttention: false, usePostQuantConv: false, useQuantConv: false }
    const names = vaeWeights(bare).map(({ name }) => name)
    expect(names.filter((name) => /quant_conv|attentions/.test(name))).toEqual([])
    const { graph } = buildVaeDecoder(bare, layout(vaeWeights(bare)), { batch: 1, latentHeight: 4, latentWidth: 6 })
    expect(graph.outputs.get('pixels')?.shape).toEqual([1, 3, 8, 12])
  })
})

describe('the encoder', () => {
  it('limits the log-variance to [−30, 20]', async () => {
    const { graph } = buildVaeEncoder(config, layout([]), { batch: 1, height: 8, width: 8, trainable: () => true })
    const feeds = Object.fromEntries(graph.inputs.map(({ name, shape }, i) => [name, noise(shape, i)]))
    feeds['quant_conv.bias'] = { ...noise([8]), data: Float32Array.of(-500, -500, -500, -500, -500, 500, -500, 500) }
    const { mean, logvar } = await compute(graph, feeds)
    expect([...new Set(toFloat32(logvar!).data)]).toEqual([-30, 20])
    expect(Math.min(...toFloat32(mean!).data)).toBeLessThan(-100)
  })

  it('gives mean and log-variance of latents half as large per level', () => {
    const { graph } = buildVaeEncoder(config, layout(vaeWeights(config)), { batch: 2, height: 8, width: 12, compute: 'float16' })
    expect([...graph.outputs].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['mean', 'float32', [2, 4, 4, 6]],
      ['logvar', 'float32', [2, 4, 4, 6]],
    ])
    expect(scatteredSegments(graph)).toEqual([])
  })
})

it('the attention scores are float32 even in half precision, since a single wide head overflows', () => {
  const { graph } = buildVaeDecoder(config, layout(vaeWeights(config)), { batch: 1, latentHeight: 4, latentWidth: 4, compute: 'float16' })
  const scores = nodesFor(graph.outputs.values()).filter(({ operator }) => operator === 'Softmax')
  expect(scores.map(({ outputs }) => outputs[0]?.dtype)).toEqual(['float32'])
})
