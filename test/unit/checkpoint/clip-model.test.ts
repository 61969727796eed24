import { describe, expect, it } from 'vitest'
import { openClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import { mapOpenClipVision } from '../../../native-models/checkpoint/open-clip-vision.ts'
import { golden, layout } from '../models/fixtures.ts'
import { expectRefusal } from '../weights/crafted.ts'

/** Names and shapes of OpenCLIP's vision tower. */
function visual(width: number, inner: number, layers: number, patch: number, positions: number, embedding: number) {
  const block = (i: number): [string, number[]][] =>
    Object.entries({
      'ln_1.weight': [width],
      'ln_1.bias': [width],
      'attn.in_proj_weight': [3 * width, width],
      'attn.in_proj_bias': [3 * width],
      'attn.out_proj.weight': [width, width],
      'attn.out_proj.bias': [width],
      'ln_2.weight': [width],
      'ln_2.bias': [width],
      'mlp.c_fc.weight': [inner, width],
      'mlp.c_fc.bias': [inner],
      'mlp.c_proj.weight': [width, inner],
      'mlp.c_proj.bias': [width],
    }).map(([name, shape]) => [`visual.transformer.resblocks.${i}.${name}`, shape])
  const outer: [string, number[]][] = [
    ['visual.class_embedding', [width]],
    ['visual.positional_embedding', [positions, width]],
    ['visual.conv1.weight', [width, 3, patch, patch]],
    ['visual.ln_pre.weight', [width]],
    ['visual.ln_pre.bias', [width]],
    ['visual.ln_post.weight', [width]],
    ['visual.ln_post.bias', [width]],
    ['visual.proj', [width, embedding]],
  ]
  return layout([...outer, ...Array.from({ length: layers }, (_, i) => block(i)).flat()].map(([name, shape]) => ({ name, shape })))
}

describe('an OpenCLIP vision tower', () => {
  it.each([
    ['ViT-H/14', visual(1280, 5120, 32, 14, 257, 1024), { num_attention_heads: 16, image_size: 224, num_hidden_layers: 32 }],
    ['ViT-bigG/14', visual(1664, 8192, 48, 14, 257, 1280), { num_attention_heads: 16, image_size: 224, intermediate_size: 8192 }],
    ['ViT-L/14 at 336', visual(1024, 4096, 24, 14, 577, 768), { num_attention_heads: 16, image_size: 336 }],
    ['ViT-B/32', visual(768, 3072, 12, 32, 50, 512), { num_attention_heads: 12, image_size: 224, patch_size: 32, hidden_act: 'gelu' }],
  ])('is recognised by its shapes: %s', (_name, weights, expected) => {
    expect(mapOpenClipVision(weights).config).toMatchObject(expected)
  })

  it('has its fused projections cut into query, key and value', () => {
    const { weights } = mapOpenClipVision(visual(128, 512, 2, 14, 5, 20))
    expect(weights.find('vision_model.encoder.layers.1.self_attn.v_proj.weight')?.shape).toEqual([128, 128])
    expect(weights.find('visual_projection.weight')).toMatchObject({ shape: [20, 128], transposed: true })
  })
})

describe('a CLIP model', () => {
  it('is found in transformers’ layout with both towers and its factor', async () => {
    const model = await openClipModel(golden('rewards/clip'))
    expect(model.vision.config).toMatchObject({ imageSize: 28, withProjection: true, projectionDim: 20 })
    expect(model.text?.config).toMatchObject({ hiddenSize: 32, withProjection: true, projectionDim: 20 })
    expect(model.logitScale?.name).toBe('logit_scale')
  })

  it('is found in OpenCLIP’s layout', async () => {
    const model = await openClipModel(golden('rewards/openclip/openclip.safetensors'))
    expect(model.vision.config).toMatchObject({ imageSize: 28, heads: 2, hiddenAct: 'gelu', withProjection: true })
    expect(model.text?.config).toMatchObject({ hiddenSize: 64, heads: 1, layers: 2, withProjection: true })
  })

  it('may be a vision tower alone', async () => {
    expect((await openClipModel(golden('clip-vision-micro/image_encoder'))).text).toBeUndefined()
  })

  it('is refused without a config beside weights that need one', async () => {
    await expectRefusal(openClipModel(golden('rewards/head.safetensors')), 'file.missing', 'config.json')
  })
})
