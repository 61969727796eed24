import { describe, expect, it } from 'vitest'
import { elementCount } from '../../../main/engine/tensor/shape.ts'
import { parseClipTextConfig } from '../../../native-models/checkpoint/clip-text-config.ts'
import { parseClipVisionConfig } from '../../../native-models/checkpoint/clip-vision-config.ts'
import { parseUnetConfig } from '../../../native-models/checkpoint/unet-config.ts'
import { parseVaeConfig } from '../../../native-models/checkpoint/vae-config.ts'
import type { Parameter } from '../../../native-models/module.ts'
import { clipTextWeights, clipVisionWeights, unetWeights, vaeWeights } from '../../../native-models/required-weights.ts'
import { standardConfigs } from '../../../native-models/standard-configs.ts'

const count = (weights: readonly Parameter[]): number => weights.reduce((sum, { shape }) => sum + elementCount(shape), 0)
const { sd15, sd21, sdxl } = standardConfigs

describe('the standard models have the published number of parameters', () => {
  it.each([
    ['SD 1.5 UNet', sd15.unet, 859_520_964],
    ['SD 2.1 UNet', sd21.unet, 865_910_724],
    ['SDXL UNet', sdxl.unet, 2_567_463_684],
  ])('%s', (name, config, expected) => expect(count(unetWeights(parseUnetConfig(config, name)))).toBe(expected))

  it.each([
    ['CLIP ViT-L/14 text', sd15.text_encoder, 123_060_480],
    ['OpenCLIP ViT-H/14 text, 23 layers', sd21.text_encoder, 340_387_840],
    ['OpenCLIP ViT-bigG/14 text with projection', sdxl.text_encoder_2, 694_659_840],
  ])('%s', (name, config, expected) => expect(count(clipTextWeights(parseClipTextConfig(config, name)))).toBe(expected))

  it.each([
    ['SD 1.5 VAE', sd15.vae],
    ['SDXL VAE', sdxl.vae],
  ])('%s', (name, config) => expect(count(vaeWeights(parseVaeConfig(config, name)))).toBe(83_653_863))

  it('CLIP ViT-L/14 vision with projection', () => {
    const config = {
      architectures: ['CLIPVisionModelWithProjection'],
      hidden_size: 1024,
      intermediate_size: 4096,
      num_attention_heads: 16,
      num_hidden_layers: 24,
      patch_size: 14,
      projection_dim: 768,
    }
    expect(count(clipVisionWeights(parseClipVisionConfig(config, 'vision')))).toBe(303_966_208)
  })
})

it('no weight is needed under two names or twice', () => {
  const names = unetWeights(parseUnetConfig(sdxl.unet, 'unet')).map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
