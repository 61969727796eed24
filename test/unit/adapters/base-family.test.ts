import { describe, expect, it } from 'vitest'
import { adapterFamily } from '../../../main/engine/adapters/base-family.ts'
import type { LoraModule } from '../../../main/engine/adapters/lora.ts'
import { randomModule } from './example-adapters.ts'

const family = (module: LoraModule, metadata: Record<string, string> = {}) => adapterFamily({ modules: [module], metadata })
const attention = (block: number, layer: string, width: number) =>
  randomModule('unet', `mid_block.attentions.0.transformer_blocks.${block}.${layer}`, [8, width])

describe('the family an adapter was made for', () => {
  it.each([
    [768, 'sd1'],
    [1024, 'sd2'],
    [2048, 'sdxl'],
    [512, undefined],
  ])('follows from a cross-attention width of %i: %s', (width, expected) => {
    expect(family(attention(0, 'attn2.to_k', width))).toBe(expected)
  })

  it('is SDXL when a module occurs only there', () => {
    expect(family(attention(3, 'attn1.to_q', 8))).toBe('sdxl')
    expect(family(randomModule('unet', 'add_embedding.linear_1', [8, 8]))).toBe('sdxl')
    expect(family(randomModule('textEncoder2', 'text_projection', [8, 8]))).toBe('sdxl')
  })

  it('is SD 2.x for a text encoder of width 1024, and open for one of 768', () => {
    const path = 'text_model.encoder.layers.0.self_attn.q_proj'
    const qProj = (width: number) => randomModule('textEncoder', path, [width, width], { rank: 1 })
    expect(family(qProj(1024))).toBe('sd2')
    expect(family(qProj(768))).toBeUndefined()
  })

  it.each([
    ['modelspec.architecture', 'stable-diffusion-v1/lora', 'sd1'],
    ['modelspec.architecture', 'stable-diffusion-v2-768-v/lora', 'sd2'],
    ['modelspec.architecture', 'stable-diffusion-xl-v1-base/lora', 'sdxl'],
    ['ss_base_model_version', 'sd_v1', 'sd1'],
    ['ss_base_model_version', 'sd_v2_v', 'sd2'],
    ['ss_base_model_version', 'sdxl_base_v1-0', 'sdxl'],
    ['ss_base_model_version', 'flux1', undefined],
  ])('follows from %s %s when the modules do not tell: %s', (key, value, expected) => {
    expect(family(attention(0, 'attn1.to_q', 8), { [key]: value })).toBe(expected)
  })
})
