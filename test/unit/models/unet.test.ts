import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Graph, nodesFor, type Value } from '../../../main/engine/graph/graph.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import type { AdapterSlot, AdapterTarget } from '../../../native-models/adapter-slot.ts'
import { readUnet } from '../../../native-models/checkpoint/diffusers-folder.ts'
import { parseUnetConfig, type UnetConfig } from '../../../native-models/checkpoint/unet-config.ts'
import { Module } from '../../../native-models/module.ts'
import { unetWeights } from '../../../native-models/required-weights.ts'
import { standardConfigs } from '../../../native-models/standard-configs.ts'
import { buildUnet, unet, type UnetModel, type UnetOptions } from '../../../native-models/unet.ts'
import { compute, golden, layout, noise, openCases, outerSegmentPaths, relativeError, scatteredSegments } from './fixtures.ts'

function microConfig(model: string): UnetConfig {
  const file = golden(`${model}/unet/config.json`)
  return parseUnetConfig(JSON.parse(readFileSync(file, 'utf8')), file)
}

const size = { batch: 2, latentHeight: 8, latentWidth: 16, textLength: 77 }
const build = (config: UnetConfig, options: Partial<UnetOptions> = {}): UnetModel =>
  buildUnet(config, layout(unetWeights(config)), { ...size, ...options })

describe('inputs and outputs', () => {
  it('of SD 1.x and 2.x are latents, timestep and text', () => {
    const { graph } = build(microConfig('sd21-micro'))
    expect(graph.inputs.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['sample', 'float32', [2, 4, 8, 16]],
      ['timestep', 'float32', [2]],
      ['encoder_hidden_states', 'float32', [2, 77, 32]],
    ])
    expect([...graph.outputs].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([['output', 'float32', [2, 4, 8, 16]]])
  })

  it('of SDXL are pooled text and sizes as well', () => {
    const { graph } = build(microConfig('sdxl-micro'))
    expect(graph.inputs.slice(3).map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['text_embeds', 'float32', [2, 24]],
      ['time_ids', 'float32', [2, 6]],
    ])
    expect(build(microConfig('sdxl-micro'), { timeIds: 5 }).inputs.text_embeds?.shape).toEqual([2, 32])
  })

  it('stay float32 when the network computes in float16', () => {
    const { graph } = build(microConfig('sdxl-micro'), { compute: 'float16' })
    expect([...graph.inputs, ...graph.outputs.values()].every(({ dtype }) => dtype === 'float32')).toBe(true)
    const convolutions = nodesFor(graph.outputs.values()).filter(({ operator }) => operator === 'Conv')
    expect(convolutions.every(({ outputs }) => outputs[0]?.dtype === 'float16')).toBe(true)
  })

  it('compute attention scores in float32 only where the config asks for it', () => {
    const scoreTypes = (model: string): Set<string | undefined> => {
      const { graph } = build(microConfig(model), { compute: 'float16' })
      return new Set(nodesFor(graph.outputs.values()).flatMap((node) => (node.operator === 'Softmax' ? node.outputs[0]?.dtype : [])))
    }
    expect(scoreTypes('sd21-micro')).toEqual(new Set(['float32']))
    expect(scoreTypes('sd15-micro')).toEqual(new Set(['float16']))
  })
})

describe('segments', () => {
  it.each(['sd15-micro', 'sd21-micro', 'sdxl-micro'])('of %s are built one after the other', (model) => {
    expect(scatteredSegments(build(microConfig(model), { maxScoreElements: 4000 }).graph)).toEqual([])
  })

  it('are the time embedding, every residual block, transformer block and sampler, and the end', () => {
    expect(outerSegmentPaths(build(microConfig('sdxl-micro')).graph)).toEqual([
      'time',
      'down_blocks.0.resnets.0',
      'down_blocks.0.downsamplers.0',
      'down_blocks.1.resnets.0',
      'down_blocks.1.attentions.0.transformer_blocks.0',
      'down_blocks.1.attentions.0.transformer_blocks.1',
      'down_blocks.1.downsamplers.0',
      'down_blocks.2.resnets.0',
      ...[0, 1, 2].map((i) => `down_blocks.2.attentions.0.transformer_blocks.${i}`),
      'mid_block.resnets.0',
      ...[0, 1, 2].map((i) => `mid_block.attentions.0.transformer_blocks.${i}`),
      'mid_block.resnets.1',
      ...[0, 1].flatMap((layer) => [
        `up_blocks.0.resnets.${layer}`,
        ...[0, 1, 2].map((i) => `up_blocks.0.attentions.${layer}.transformer_blocks.${i}`),
      ]),
      'up_blocks.0.upsamplers.0',
      ...[0, 1].flatMap((layer) => [
        `up_blocks.1.resnets.${layer}`,
        ...[0, 1].map((i) => `up_blocks.1.attentions.${layer}.transformer_blocks.${i}`),
      ]),
      'up_blocks.1.upsamplers.0',
      'up_blocks.2.resnets.0',
      'up_blocks.2.resnets.1',
      'out',
    ])
  })

  it('hold everything but the first convolution and casts', () => {
    const { graph } = build(microConfig('sd15-micro'), { compute: 'float16' })
    const outside = nodesFor(graph.outputs.values()).filter(({ segment, operator }) => segment === undefined && operator !== 'Cast')
    expect(outside.map(({ name }) => name.replace(/_\d+$/, ''))).toEqual(['conv_in.Conv'])
  })
})

describe('adapters', () => {
  const config = parseUnetConfig(standardConfigs.sd15.unet, 'sd15')
  const targetsOf = (pattern: RegExp): readonly AdapterTarget[] => {
    const slot: AdapterSlot = { name: 'lora', target: (path) => (pattern.test(path) ? { rank: 4, alpha: 4 } : undefined) }
    return build(config, { adapters: [slot] }).adapterTargets
  }

  it('reach all 128 attention projections of SD 1.5 by diffusers’ names', () => {
    expect(targetsOf(/attn[12]\.to_(q|k|v|out\.0)$/)).toHaveLength(128)
  })

  it('reach every linear layer and convolution', () => {
    const layers = unetWeights(config).filter(({ name, shape }) => name.endsWith('.weight') && shape.length > 1)
    expect(targetsOf(/./)).toHaveLength(layers.length)
  })

  it('of a split layer (GEGLU) are declared whole', () => {
    const [target] = targetsOf(/net\.0\.proj$/)
    expect(target).toMatchObject({ path: expect.stringContaining('ff.net.0.proj'), up: { shape: [2560, 4] } })
  })
})

describe('numbers', () => {
  it('agree with diffusers for latents that do not halve evenly, with chunked attention', async () => {
    const { config, weights } = await readUnet(golden('sd15-shapes/unet'))
    const cases = await openCases(golden('sd15-shapes/cases.safetensors'))
    const sample = await cases('unet.sample')
    const timestep = await cases('unet.timestep')
    const context = await cases('unet.encoder_hidden_states')
    const [batch = 0, , latentHeight = 0, latentWidth = 0] = sample.shape
    expect([latentHeight, latentWidth].some((length) => length % 8 !== 0)).toBe(true)
    const { graph } = buildUnet(config, weights, { batch, latentHeight, latentWidth, textLength: 77, maxScoreElements: 1500 })
    const feeds = { sample, timestep: float32([batch], Float32Array.from(timestep.data, Number)), encoder_hidden_states: context }
    const { output } = await compute(graph, feeds)
    expect(relativeError(output, await cases('unet.output'))).toBeLessThan(1e-5)
  })

  it('do not change by an adapter of strength 0, and do by one of strength 1', async () => {
    const { config, weights } = await readUnet(golden('sdxl-micro/unet'))
    const adapters = [{ name: 'lora', target: () => ({ rank: 2, alpha: 1 }) }]
    const plain = buildUnet(config, weights, size)
    const adapted = buildUnet(config, weights, { ...size, adapters })
    const feeds = Object.fromEntries(adapted.graph.inputs.map(({ name, shape }, i) => [name, noise(shape, i)]))
    const { output: expected } = await compute(plain.graph, feeds)
    const at = async (strength: number) => (await compute(adapted.graph, { ...feeds, 'lora.strength': float32([], [strength]) })).output
    expect(relativeError(await at(0), expected!)).toBeLessThan(1e-6)
    expect(relativeError(await at(1), expected!)).toBeGreaterThan(1e-2)
  })
})

describe('refusals', () => {
  it('name the tensor of a file that does not belong to the config', () => {
    const config = microConfig('sd15-micro')
    const other = layout(unetWeights(microConfig('sd15-micro')).filter(({ name }) => name !== 'mid_block.resnets.1.conv2.bias'))
    expect(() => buildUnet(config, other, size)).toThrow('lacks the tensor mid_block.resnets.1.conv2.bias')
    const wider = { ...config, midBlock: { ...config.midBlock, crossAttentionDim: 48 } }
    expect(() => buildUnet(wider, layout(unetWeights(config)), size)).toThrow('attn2.to_k.weight with shape')
  })

  it('say that sizes and pooled text do not come to what SDXL needs', () => {
    const config = microConfig('sdxl-micro')
    const weights = layout(unetWeights(config))
    expect(() => build(config, { timeIds: 9 })).toThrow('add_embedding takes 72 numbers, but 9 sizes alone come to 72.')
    const graph = new Graph()
    const input = (name: string, shape: readonly number[]): Value => graph.input(name, 'float32', shape)
    const inputs = { sample: input('x', [1, 4, 8, 8]), timestep: input('t', [1]), context: input('c', [1, 77, 32]) }
    const added = { textEmbeds: input('e', [1, 25]), timeIds: input('i', [1, 6]) }
    const m = Module.root(graph.scope, weights)
    expect(() => unet(m, config, { ...inputs, added })).toThrow('text_embeds and time_ids must come to 72 numbers')
    expect(() => unet(m, config, inputs)).toThrow('this UNet also needs text_embeds and time_ids')
  })
})
