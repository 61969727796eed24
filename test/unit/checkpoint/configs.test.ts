import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HalfstepError, type ErrorCode } from '../../../main/engine/errors.ts'
import { parseClipTextConfig } from '../../../native-models/checkpoint/clip-text-config.ts'
import { parseClipVisionConfig } from '../../../native-models/checkpoint/clip-vision-config.ts'
import { parseSchedulerConfig } from '../../../native-models/checkpoint/scheduler-config.ts'
import { parseUnetConfig } from '../../../native-models/checkpoint/unet-config.ts'
import { parseVaeConfig } from '../../../native-models/checkpoint/vae-config.ts'

function micro(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../golden/sd15-micro', file), 'utf8')) as Record<string, unknown>
}

/** Checks that a config is refused with this code, in a sentence that names the file, the key and the value. */
function expectRefused(parse: (raw: unknown, file: string) => unknown, code: ErrorCode, raw: object, key: string, value: unknown): void {
  try {
    parse(raw, 'some/config.json')
  } catch (error) {
    if (!(error instanceof HalfstepError)) throw error
    expect(error.code, error.message).toBe(code)
    for (const text of ['some/config.json', key, value === undefined ? 'nothing' : JSON.stringify(value)])
      expect(error.message).toContain(text)
    return
  }
  throw new Error(`${key} = ${JSON.stringify(value)} was accepted`)
}

test('an empty UNet config is Stable Diffusion 1.x: the defaults of diffusers', () => {
  const config = parseUnetConfig({}, 'config.json')
  expect(config).toMatchObject({
    inChannels: 4,
    outChannels: 4,
    normGroups: 32,
    normEps: 1e-5,
    useLinearProjection: false,
    timeInputDim: 320,
    timeEmbedDim: 1280,
    flipSinToCos: true,
  })
  expect(config.downBlocks.map(({ channels }) => channels)).toEqual([320, 640, 1280, 1280])
  expect(config.upBlocks.map(({ channels }) => channels)).toEqual([1280, 1280, 640, 320])
  expect(config.upBlocks.map(({ layers }) => layers)).toEqual([3, 3, 3, 3])
  expect(config.downBlocks.map(({ kind }) => kind)).toEqual(['cross-attention', 'cross-attention', 'cross-attention', 'plain'])
  expect(config.midBlock).toEqual({
    kind: 'cross-attention',
    channels: 1280,
    heads: 8,
    transformerLayers: 1,
    crossAttentionDim: 1280,
    scaleFactor: 1,
  })
  expect(config.addition).toBeUndefined()
})

test('expands the per-block lists of SDXL, mirrored on the way up', () => {
  const config = parseUnetConfig(
    {
      block_out_channels: [320, 640, 1280],
      down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
      up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
      attention_head_dim: [5, 10, 20],
      num_attention_heads: null,
      transformer_layers_per_block: [1, 2, 10],
      cross_attention_dim: 2048,
      use_linear_projection: true,
      addition_embed_type: 'text_time',
      addition_time_embed_dim: 256,
      projection_class_embeddings_input_dim: 2816,
      sample_size: 128,
    },
    'config.json',
  )
  expect(config.downBlocks.map(({ heads }) => heads)).toEqual([5, 10, 20])
  expect(config.upBlocks.map(({ transformerLayers }) => transformerLayers)).toEqual([10, 2, 1])
  expect(config.upBlocks.map(({ resamples }) => resamples)).toEqual([true, true, false])
  expect(config.midBlock).toMatchObject({ heads: 20, transformerLayers: 10, crossAttentionDim: 2048 })
  expect(config).toMatchObject({ addition: { timeEmbedDim: 256, inputDim: 2816 }, sampleSize: [128, 128] })
})

test('expands every list a UNet config may have, in the right order', () => {
  const config = parseUnetConfig(
    {
      ...micro('unet/config.json'),
      layers_per_block: [1, 2, 3, 4],
      cross_attention_dim: [8, 16, 24, 32],
      only_cross_attention: [true, false, false, true],
      num_attention_heads: [1, 2, 4, 8],
      transformer_layers_per_block: [1, 2, 3, 4],
      reverse_transformer_layers_per_block: [5, 6, 7, 8],
    },
    'config.json',
  )
  expect(config.upBlocks.map(({ layers }) => layers)).toEqual([5, 4, 3, 2])
  expect(config.upBlocks.map(({ crossAttentionDim }) => crossAttentionDim)).toEqual([32, 24, 16, 8])
  expect(config.upBlocks.map(({ onlyCrossAttention }) => onlyCrossAttention)).toEqual([true, false, false, true])
  expect(config.upBlocks.map(({ heads }) => heads)).toEqual([8, 4, 2, 1])
  expect(config.upBlocks.map(({ transformerLayers }) => transformerLayers)).toEqual([5, 6, 7, 8])
  expect(config.midBlock).toMatchObject({ heads: 8, transformerLayers: 4, crossAttentionDim: 32 })
})

test('ignores keys that do not change the mathematics', () => {
  const raw = micro('unet/config.json')
  const more = { ...raw, _name_or_path: 'x', sample_size: null, dropout: 0.1, new_key_of_2030: true, class_embeddings_concat: false }
  expect(parseUnetConfig(more, 'config.json')).toEqual({ ...parseUnetConfig({ ...raw, sample_size: undefined }, 'config.json') })
})

test('refuses everything in a UNet config that would be computed wrongly', () => {
  const refused: Record<string, unknown[]> = {
    _class_name: ['UNet3DConditionModel'],
    act_fn: ['gelu', 'relu'],
    addition_embed_type: ['text', 'image', 'text_image'],
    attention_type: ['gated'],
    center_input_sample: [true],
    class_embed_type: ['timestep', 'projection'],
    class_embeddings_concat: [true],
    cross_attention_norm: ['layer_norm'],
    dual_cross_attention: [true],
    encoder_hid_dim: [768],
    encoder_hid_dim_type: ['text_proj'],
    mid_block_only_cross_attention: [true],
    mid_block_type: ['UNetMidBlock2DSimpleCrossAttn'],
    num_class_embeds: [1000],
    resnet_out_scale_factor: [0.7],
    resnet_skip_time_act: [true],
    resnet_time_scale_shift: ['scale_shift'],
    time_cond_proj_dim: [256],
    time_embedding_act_fn: ['silu'],
    time_embedding_type: ['fourier'],
    timestep_post_act: ['silu'],
    attention_head_dim: [[8, 8], 7],
    block_out_channels: [[32, 48, 64, 64]],
    conv_in_kernel: [4],
    cross_attention_dim: [[32]],
    down_block_types: [['DownBlock2D']],
    layers_per_block: [[1]],
    norm_num_groups: [24],
    only_cross_attention: [[true]],
    transformer_layers_per_block: [[[1], [1], [1], [1]], [1]],
    reverse_transformer_layers_per_block: [[1]],
    up_block_types: [['UpBlock2D']],
  }
  const key = (name: string) => (name === 'block_out_channels' ? 'norm_num_groups' : name)
  for (const [name, values] of Object.entries(refused)) {
    for (const value of values) {
      const shown = name === 'block_out_channels' ? 32 : value
      expectRefused(parseUnetConfig, 'config.unsupported', { ...micro('unet/config.json'), [name]: value }, key(name), shown)
    }
  }
  for (const name of ['down_block_types', 'up_block_types']) {
    const raw = micro('unet/config.json')
    const types = (raw[name] as string[]).with(1, 'AttnDownBlock2D')
    expectRefused(parseUnetConfig, 'config.unsupported', { ...raw, [name]: types }, name, 'AttnDownBlock2D')
  }
  const nested = { ...micro('unet/config.json'), reverse_transformer_layers_per_block: [[1], [1], [1], [1]] }
  expectRefused(parseUnetConfig, 'config.unsupported', nested, 'reverse_transformer_layers_per_block', [[1], [1], [1], [1]])
})

test('refuses an SDXL config that lacks the sizes of its additional embedding', () => {
  const raw = { ...micro('unet/config.json'), addition_embed_type: 'text_time', addition_time_embed_dim: 8 }
  expectRefused(parseUnetConfig, 'config.unsupported', raw, 'projection_class_embeddings_input_dim', null)
  const other = { ...raw, addition_time_embed_dim: null, projection_class_embeddings_input_dim: 50 }
  expectRefused(parseUnetConfig, 'config.unsupported', other, 'addition_time_embed_dim', null)
})

test('refuses values of the wrong kind as a broken file', () => {
  const raw = micro('unet/config.json')
  for (const [key, value] of Object.entries({
    in_channels: '4',
    out_channels: -4,
    norm_eps: 0,
    conv_out_kernel: 3.5,
    block_out_channels: [],
  })) {
    expectRefused(parseUnetConfig, 'config.malformed', { ...raw, [key]: value }, key, value)
  }
  expect(() => parseUnetConfig([], 'some/config.json')).toThrow("some/config.json is not a model's config.")
})

test('reads the text encoders of all versions of transformers', () => {
  expect(parseClipTextConfig(micro('text_encoder/config.json'), 'config.json')).toEqual({
    vocabSize: 1024,
    hiddenSize: 32,
    intermediateSize: 64,
    layers: 2,
    heads: 4,
    maxPositions: 77,
    hiddenAct: 'quick_gelu',
    layerNormEps: 1e-5,
    projectionDim: 32,
    withProjection: false,
    eosTokenId: 1023,
  })
  expect(parseClipTextConfig({}, 'config.json')).toMatchObject({
    vocabSize: 49408,
    hiddenSize: 512,
    eosTokenId: 49407,
    withProjection: false,
  })
  expect(parseClipTextConfig({}, 'config.json', true).withProjection).toBe(true)
  expect(
    parseClipTextConfig({ architectures: ['CLIPTextModelWithProjection'], hidden_act: 'gelu', eos_token_id: 2 }, 'config.json'),
  ).toMatchObject({
    withProjection: true,
    hiddenAct: 'gelu',
    eosTokenId: 2,
  })
})

test('takes one tower out of the config of a whole CLIP model', () => {
  const whole = {
    model_type: 'clip',
    architectures: ['CLIPModel'],
    projection_dim: 768,
    text_config: { hidden_size: 64, num_attention_heads: 4, model_type: 'clip_text_model' },
    text_config_dict: { hidden_size: 128, num_attention_heads: 8 },
    vision_config: { hidden_size: 1024, num_attention_heads: 16, patch_size: 14, projection_dim: 512 },
  }
  expect(parseClipTextConfig(whole, 'config.json')).toMatchObject({ hiddenSize: 128, heads: 8, projectionDim: 768, withProjection: true })
  expect(parseClipVisionConfig(whole, 'config.json')).toMatchObject({
    hiddenSize: 1024,
    patchSize: 14,
    projectionDim: 768,
    withProjection: true,
  })
  expect(parseClipVisionConfig({ architectures: ['CLIPVisionModel'] }, 'config.json')).toMatchObject({
    imageSize: 224,
    withProjection: false,
  })
})

test('refuses CLIP configs that would be computed wrongly', () => {
  expectRefused(parseClipTextConfig, 'config.unsupported', { model_type: 't5' }, 'model_type', 't5')
  expectRefused(parseClipTextConfig, 'config.unsupported', { hidden_act: 'relu' }, 'hidden_act', 'relu')
  expectRefused(parseClipTextConfig, 'config.unsupported', { num_attention_heads: 7 }, 'num_attention_heads', 7)
  expectRefused(parseClipTextConfig, 'config.malformed', { eos_token_id: [1, 2] }, 'eos_token_id', [1, 2])
  expectRefused(parseClipVisionConfig, 'config.unsupported', { model_type: 'siglip_vision_model' }, 'model_type', 'siglip_vision_model')
  expectRefused(parseClipVisionConfig, 'config.unsupported', { hidden_act: 'relu' }, 'hidden_act', 'relu')
  expectRefused(parseClipVisionConfig, 'config.unsupported', { num_attention_heads: 7 }, 'num_attention_heads', 7)
  expectRefused(parseClipVisionConfig, 'config.unsupported', { image_size: 16 }, 'patch_size', 32)
})

test('reads autoencoders, with shift and statistics where they are given', () => {
  const raw = micro('vae/config.json')
  expect(parseVaeConfig(raw, 'config.json')).not.toHaveProperty('shiftFactor')
  expect(parseVaeConfig({ ...raw, shift_factor: 0.1, latents_mean: [1, 2, 3, 4], latents_std: [1, 1, 1, 2] }, 'config.json')).toMatchObject(
    {
      blockOutChannels: [32, 32, 32, 32],
      layersPerBlock: 1,
      normGroups: 16,
      shiftFactor: 0.1,
      latentsMean: [1, 2, 3, 4],
      latentsStd: [1, 1, 1, 2],
    },
  )
  const legacy = { in_channels: 3, block_out_channels: [128], latent_channels: 4 }
  expect(parseVaeConfig(legacy, 'config.json')).toMatchObject({
    scalingFactor: 0.18215,
    useQuantConv: true,
    usePostQuantConv: true,
    midBlockAttention: true,
    normGroups: 32,
  })
})

test('refuses autoencoders that would be computed wrongly', () => {
  const raw = micro('vae/config.json')
  expectRefused(parseVaeConfig, 'config.unsupported', { ...raw, _class_name: 'AutoencoderTiny' }, '_class_name', 'AutoencoderTiny')
  expectRefused(parseVaeConfig, 'config.unsupported', { ...raw, act_fn: 'gelu' }, 'act_fn', 'gelu')
  expectRefused(parseVaeConfig, 'config.unsupported', { ...raw, norm_num_groups: 24 }, 'norm_num_groups', 24)
  expectRefused(parseVaeConfig, 'config.unsupported', { ...raw, latents_std: [1] }, 'latents_std', [1])
  expectRefused(parseVaeConfig, 'config.unsupported', { ...raw, up_block_types: ['UpDecoderBlock2D'] }, 'up_block_types', [
    'UpDecoderBlock2D',
  ])
  const types = ['DownEncoderBlock2D', 'AttnDownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D']
  expectRefused(parseVaeConfig, 'config.unsupported', { ...raw, down_block_types: types }, 'down_block_types.1', 'AttnDownEncoderBlock2D')
})

test('reads the noise schedule of any sampler, with the defaults of its class', () => {
  expect(parseSchedulerConfig(micro('scheduler/scheduler_config.json'), 'config.json')).toMatchObject({
    betaStart: 0.00085,
    betaEnd: 0.012,
    betaSchedule: 'scaled_linear',
    stepsOffset: 1,
    setAlphaToOne: false,
    predictionType: 'epsilon',
  })
  expect(parseSchedulerConfig({}, 'config.json')).toMatchObject({ setAlphaToOne: true, clipSample: true, timestepSpacing: 'leading' })
  const euler = { _class_name: 'EulerDiscreteScheduler', prediction_type: 'v_prediction' }
  expect(parseSchedulerConfig(euler, 'config.json')).toMatchObject({
    setAlphaToOne: false,
    clipSample: false,
    timestepSpacing: 'linspace',
    predictionType: 'v_prediction',
  })
})

test('refuses noise schedules that would be computed wrongly', () => {
  expectRefused(parseSchedulerConfig, 'config.unsupported', { prediction_type: 'sample' }, 'prediction_type', 'sample')
  expectRefused(parseSchedulerConfig, 'config.unsupported', { beta_schedule: 'sigmoid' }, 'beta_schedule', 'sigmoid')
  expectRefused(parseSchedulerConfig, 'config.unsupported', { thresholding: true }, 'thresholding', true)
  expectRefused(parseSchedulerConfig, 'config.unsupported', { variance_type: 'learned_range' }, 'variance_type', 'learned_range')
  for (const name of ['EDMEulerScheduler', 'FlowMatchEulerDiscreteScheduler']) {
    expectRefused(parseSchedulerConfig, 'config.unsupported', { _class_name: name }, '_class_name', name)
  }
  expectRefused(parseSchedulerConfig, 'config.unsupported', { trained_betas: [0.1, 0.2] }, 'num_train_timesteps', 1000)
})
