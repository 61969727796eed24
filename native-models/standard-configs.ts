/**
 * The configs of well-known models, as their publishers put them on the Hugging Face hub: a size to measure against when no
 * checkpoint is at hand. They say what a model looks like, in the form of its own config files, and are read like those.
 */

export type StandardModel = 'sd15' | 'sd21' | 'sdxl'

/** The config files of a diffusers folder, by component. */
export type FolderConfigs = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const fourBlocks = {
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  block_out_channels: [320, 640, 1280, 1280],
}

const unet = {
  _class_name: 'UNet2DConditionModel',
  act_fn: 'silu',
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  in_channels: 4,
  layers_per_block: 2,
  norm_eps: 1e-5,
  norm_num_groups: 32,
  out_channels: 4,
}

const vae = {
  _class_name: 'AutoencoderKL',
  act_fn: 'silu',
  block_out_channels: [128, 256, 512, 512],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
  in_channels: 3,
  latent_channels: 4,
  layers_per_block: 2,
  norm_num_groups: 32,
  out_channels: 3,
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
}

/** OpenAI's CLIP ViT-L/14 text encoder. */
const clipLarge = {
  architectures: ['CLIPTextModel'],
  model_type: 'clip_text_model',
  eos_token_id: 2,
  hidden_act: 'quick_gelu',
  hidden_size: 768,
  intermediate_size: 3072,
  max_position_embeddings: 77,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  projection_dim: 768,
  vocab_size: 49408,
}

/** OpenCLIP's ViT-H/14 text encoder without its last layer. */
const openClipHuge = {
  ...clipLarge,
  hidden_act: 'gelu',
  hidden_size: 1024,
  intermediate_size: 4096,
  num_attention_heads: 16,
  num_hidden_layers: 23,
  projection_dim: 512,
}

/** OpenCLIP's ViT-bigG/14 text encoder. */
const openClipBigG = {
  ...clipLarge,
  architectures: ['CLIPTextModelWithProjection'],
  hidden_act: 'gelu',
  hidden_size: 1280,
  intermediate_size: 5120,
  num_attention_heads: 20,
  num_hidden_layers: 32,
  projection_dim: 1280,
}

const scheduler = {
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  steps_offset: 1,
}

/** runwayml/stable-diffusion-v1-5, stabilityai/stable-diffusion-2-1, stabilityai/stable-diffusion-xl-base-1.0. */
export const standardConfigs: Readonly<Record<StandardModel, FolderConfigs>> = {
  sd15: {
    unet: { ...unet, ...fourBlocks, attention_head_dim: 8, cross_attention_dim: 768, sample_size: 64 },
    text_encoder: clipLarge,
    vae: { ...vae, sample_size: 512 },
    scheduler: { ...scheduler, _class_name: 'PNDMScheduler', skip_prk_steps: true },
  },
  sd21: {
    unet: {
      ...unet,
      ...fourBlocks,
      attention_head_dim: [5, 10, 20, 20],
      cross_attention_dim: 1024,
      sample_size: 96,
      upcast_attention: true,
      use_linear_projection: true,
    },
    text_encoder: openClipHuge,
    vae: { ...vae, sample_size: 768 },
    scheduler: { ...scheduler, _class_name: 'DDIMScheduler', prediction_type: 'v_prediction' },
  },
  sdxl: {
    unet: {
      ...unet,
      addition_embed_type: 'text_time',
      addition_time_embed_dim: 256,
      attention_head_dim: [5, 10, 20],
      block_out_channels: [320, 640, 1280],
      cross_attention_dim: 2048,
      down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
      projection_class_embeddings_input_dim: 2816,
      sample_size: 128,
      transformer_layers_per_block: [1, 2, 10],
      up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
      use_linear_projection: true,
    },
    text_encoder: clipLarge,
    text_encoder_2: openClipBigG,
    vae: { ...vae, sample_size: 1024, scaling_factor: 0.13025, force_upcast: true },
    scheduler: { ...scheduler, _class_name: 'EulerDiscreteScheduler', prediction_type: 'epsilon', timestep_spacing: 'leading' },
  },
}
