import { describe, expect, it } from 'vitest'
import { isKohyaKey, readKohya, writeKohya } from '../../../main/engine/adapters/kohya-format.ts'
import { deltaOf, moduleKey } from '../../../main/engine/adapters/lora.ts'
import { float32, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { byName, randomModule, randomTensor, relativeError, sd1Adapter, sdxlAdapter } from './example-adapters.ts'

function pair(name: string): Map<string, Tensor> {
  return new Map([
    [`${name}.lora_down.weight`, randomTensor([2, 6], 1)],
    [`${name}.lora_up.weight`, randomTensor([5, 2], 2)],
  ])
}

describe('reading', () => {
  it.each([
    ['lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_2', 'unet.mid_block.attentions.0.transformer_blocks.0.ff.net.2'],
    ['lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q', 'unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q'],
    ['lora_te_text_model_encoder_layers_0_mlp_fc1', 'textEncoder.text_model.encoder.layers.0.mlp.fc1'],
    ['lora_te1_text_model_encoder_layers_10_self_attn_out_proj', 'textEncoder.text_model.encoder.layers.10.self_attn.out_proj'],
    ['lora_te2_text_model_encoder_layers_31_self_attn_k_proj', 'textEncoder2.text_model.encoder.layers.31.self_attn.k_proj'],
    ['lora_te2_text_projection', 'textEncoder2.text_projection'],
  ])('%s is %s', (name, key) => {
    expect(readKohya('f', pair(name)).map(moduleKey)).toEqual([key])
  })

  it('takes alpha from its tensor, and the rank where there is none', () => {
    const tensors = new Map([...pair('lora_unet_conv_in'), ['lora_unet_conv_in.alpha', float32([], [0.5])] as const])
    expect(readKohya('f', tensors)[0]?.alpha).toBe(0.5)
    expect(readKohya('f', pair('lora_unet_conv_in'))[0]?.alpha).toBe(2)
  })

  it.each([
    ['an unknown module', pair('lora_unet_double_blocks_0_img_attn_qkv'), /lora_unet_double_blocks_0_img_attn_qkv\.lora_down\.weight/],
    ['an unknown ending', new Map([['lora_unet_conv_in.weight', randomTensor([2, 2], 1)]]), /lora_unet_conv_in\.weight .*neither/],
    ['an up weight alone', new Map([['lora_unet_conv_in.lora_up.weight', randomTensor([2, 2], 1)]]), /the down weight/],
    ['a layer in both layouts', new Map([...pair('lora_unet_conv_in'), ...pair('lora_unet_input_blocks_0_0')]), /same as lora_unet/],
  ])('refuses %s, naming the file and the key', (_, tensors, cause) => {
    expect(() => readKohya('f.safetensors', tensors)).toThrow(cause)
    expect(() => readKohya('f.safetensors', tensors)).toThrow(/^f\.safetensors/)
  })

  it('knows its names from those of other formats', () => {
    expect(isKohyaKey('lora_te2_text_projection.alpha')).toBe(true)
    expect(isKohyaKey('unet.conv_in.lora_A.weight')).toBe(false)
    expect(isKohyaKey('lora_te3_x.alpha')).toBe(false)
  })
})

describe('writing', () => {
  it.each([
    ['SD 1.x', sd1Adapter({ rank: 3, alpha: 1.5 }), false],
    ['SDXL', sdxlAdapter(), true],
  ])('gives what reading understands for %s', (_, adapter, sdxl) => {
    const modules = readKohya('f', new Map(writeKohya(adapter, sdxl)))
    expect(byName({ modules, metadata: {} })).toEqual(byName(adapter))
  })

  it('names the text encoders as the family has it', () => {
    const names = (sdxl: boolean) => writeKohya(sdxlAdapter(), sdxl).map(([name]) => name.split('_text_')[0])
    expect(names(true)).toContain('lora_te1')
    expect(names(false)).toContain('lora_te')
    expect(names(true)).toContain('lora_te2')
  })

  it('names SDXL’s size embedding as the original layout does', () => {
    expect(writeKohya(sdxlAdapter(), true).map(([name]) => name)).toContain('lora_unet_label_emb_0_0.lora_down.weight')
  })

  it('gives all modules of a network one alpha and the same change as before', () => {
    const adapter = {
      metadata: {},
      modules: [
        randomModule('unet', 'conv_in', [4, 4], { alpha: 3 }),
        randomModule('unet', 'conv_out', [4, 4], { alpha: 3 }),
        randomModule('unet', 'mid_block.resnets.0.conv1', [4, 4, 3, 3], { alpha: 0.7, rank: 4 }),
        randomModule('unet', 'mid_block.resnets.1.conv1', [4, 4, 3, 3], { alpha: 0 }),
        randomModule('textEncoder', 'text_model.encoder.layers.0.mlp.fc1', [4, 4], { alpha: 16 }),
      ],
    }
    const read = byName({ metadata: {}, modules: readKohya('f', new Map(writeKohya(adapter, false))) })
    expect([...read.values()].map((module) => module.alpha)).toEqual([3, 3, 3, 3, 16])
    for (const [name, module] of byName(adapter)) {
      const delta = deltaOf(read.get(name) ?? module).data
      if (module.alpha === 0) expect(delta.every((value) => value === 0)).toBe(true)
      else expect(relativeError(delta, deltaOf(module).data)).toBeLessThan(1e-6)
    }
  })
})
