import { describe, expect, it } from 'vitest'
import { isKnownModule, kindOf, pathOfUnderscored } from '../../../main/engine/adapters/module-names.ts'
import { sd1Adapter, sdxlAdapter } from './example-adapters.ts'

describe('a name with underscores', () => {
  it('is read back to the path it was made from', () => {
    for (const { component, path } of [...sd1Adapter().modules, ...sdxlAdapter().modules]) {
      expect(pathOfUnderscored(component, path.replaceAll('.', '_'))).toBe(path)
    }
  })

  it.each([
    ['input_blocks_0_0', 'conv_in'],
    ['input_blocks_1_0_in_layers_2', 'down_blocks.0.resnets.0.conv1'],
    ['input_blocks_3_0_op', 'down_blocks.0.downsamplers.0.conv'],
    ['input_blocks_4_0_skip_connection', 'down_blocks.1.resnets.0.conv_shortcut'],
    ['input_blocks_4_1_transformer_blocks_0_attn1_to_q', 'down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q'],
    ['input_blocks_8_1_transformer_blocks_9_ff_net_0_proj', 'down_blocks.2.attentions.1.transformer_blocks.9.ff.net.0.proj'],
    ['middle_block_0_emb_layers_1', 'mid_block.resnets.0.time_emb_proj'],
    ['middle_block_1_proj_out', 'mid_block.attentions.0.proj_out'],
    ['middle_block_2_out_layers_3', 'mid_block.resnets.1.conv2'],
    ['output_blocks_0_1_transformer_blocks_3_attn2_to_out_0', 'up_blocks.0.attentions.0.transformer_blocks.3.attn2.to_out.0'],
    ['output_blocks_2_1_conv', 'up_blocks.0.upsamplers.0.conv'],
    ['output_blocks_5_2_conv', 'up_blocks.1.upsamplers.0.conv'],
    ['output_blocks_11_0_in_layers_2', 'up_blocks.3.resnets.2.conv1'],
    ['time_embed_2', 'time_embedding.linear_2'],
    ['label_emb_0_0', 'add_embedding.linear_1'],
    ['out_2', 'conv_out'],
  ])('of the original layout, %s, is %s', (name, path) => {
    expect(pathOfUnderscored('unet', name)).toBe(path)
  })

  it.each([
    'input_blocks_0_1_proj_in',
    'input_blocks_3_1_proj_in',
    'input_blocks_4_0_op',
    'output_blocks_3_2_conv',
    'down_blocks_0_attentions_0_transformer_blocks_0_attn3_to_q',
    'down_blocks_00_resnets_0_conv1',
    'double_blocks_0_img_attn_qkv',
    '',
  ])('that no UNet has, %s, is unknown', (name) => {
    expect(pathOfUnderscored('unet', name)).toBeUndefined()
  })

  it('of a UNet is unknown in a text encoder, and the reverse', () => {
    expect(pathOfUnderscored('textEncoder', 'conv_in')).toBeUndefined()
    expect(pathOfUnderscored('unet', 'text_projection')).toBeUndefined()
  })
})

describe('a dotted path', () => {
  it('is known only when it is spelt with dots', () => {
    expect(isKnownModule('unet', 'mid_block.attentions.0.proj_in')).toBe(true)
    expect(isKnownModule('unet', 'mid_block_attentions.0.proj_in')).toBe(false)
    expect(isKnownModule('unet', 'transformer.single_transformer_blocks.0.attn.to_q')).toBe(false)
  })
})

describe('the kind of a layer', () => {
  it.each([
    ['mid_block.attentions.0.transformer_blocks.0.attn1.to_q', 'self-attention'],
    ['mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0', 'cross-attention'],
    ['text_model.encoder.layers.0.self_attn.k_proj', 'self-attention'],
    ['text_model.encoder.layers.0.mlp.fc2', 'feed-forward'],
    ['mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj', 'feed-forward'],
    ['mid_block.attentions.0.proj_in', 'projection'],
    ['text_projection', 'projection'],
    ['mid_block.resnets.0.time_emb_proj', 'embedding'],
    ['add_embedding.linear_2', 'embedding'],
    ['up_blocks.0.upsamplers.0.conv', 'convolution'],
    ['conv_out', 'convolution'],
  ])('%s is %s', (path, kind) => {
    expect(kindOf(path)).toBe(kind)
  })
})
