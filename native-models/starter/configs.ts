import type { FolderConfigs } from '../standard-configs.ts'
import { END_OF_TEXT, START_OF_TEXT } from '../tokenizer/clip-vocabulary.ts'
import { STARTER_POSITIONS, buildVocabulary } from './vocabulary.ts'

/** Channels of the UNet at 8×8 and at 4×4: as much work at either. */
export const UNET_CHANNELS: readonly number[] = [64, 128]

/** Width of the text encoder, and so of the UNet's condition. */
const TEXT_WIDTH = 64

/** Channels of the latents, which are 8×8 for a picture of 64×64. */
const LATENT_CHANNELS = 8

/** diffusers reads it as the oldest version whose habits the configs follow: before 0.9, sizes below 64 are taken for mistakes. */
const WRITTEN_FOR = '0.30.0'

const { vocab } = buildVocabulary()

/** The starter model in the words of diffusers and transformers: Stable Diffusion's architecture at micro scale. */
export const starterConfigs = {
  unet: {
    _class_name: 'UNet2DConditionModel',
    _diffusers_version: WRITTEN_FOR,
    act_fn: 'silu',
    // The number of heads, despite its name (huggingface/diffusers#2011).
    attention_head_dim: 4,
    block_out_channels: UNET_CHANNELS,
    cross_attention_dim: TEXT_WIDTH,
    down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    downsample_padding: 1,
    flip_sin_to_cos: true,
    freq_shift: 0,
    in_channels: LATENT_CHANNELS,
    layers_per_block: 1,
    norm_eps: 1e-5,
    norm_num_groups: 16,
    out_channels: LATENT_CHANNELS,
    sample_size: 8,
    up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  },
  vae: {
    _class_name: 'AutoencoderKL',
    _diffusers_version: WRITTEN_FOR,
    act_fn: 'silu',
    block_out_channels: [8, 16, 32, 64],
    down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
    force_upcast: false,
    in_channels: 3,
    latent_channels: LATENT_CHANNELS,
    layers_per_block: 1,
    mid_block_add_attention: false,
    norm_num_groups: 2,
    out_channels: 3,
    sample_size: 64,
    // The latents' scale is in the weights: StableDiffusionPipeline knows one factor, not one per channel.
    scaling_factor: 1,
    up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
  },
  text_encoder: {
    architectures: ['CLIPTextModel'],
    model_type: 'clip_text_model',
    bos_token_id: vocab[START_OF_TEXT]!,
    eos_token_id: vocab[END_OF_TEXT]!,
    hidden_act: 'quick_gelu',
    hidden_size: TEXT_WIDTH,
    intermediate_size: 256,
    layer_norm_eps: 1e-5,
    max_position_embeddings: STARTER_POSITIONS,
    num_attention_heads: 2,
    num_hidden_layers: 2,
    pad_token_id: vocab[END_OF_TEXT]!,
    projection_dim: TEXT_WIDTH,
    vocab_size: Object.keys(vocab).length,
  },
  scheduler: {
    _class_name: 'DDIMScheduler',
    _diffusers_version: WRITTEN_FOR,
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    clip_sample: false,
    num_train_timesteps: 1000,
    prediction_type: 'v_prediction',
    // The chain begins at pure noise, as it does in training: otherwise the colours of the training set's average leak into every
    // picture (Lin et al. 2024).
    rescale_betas_zero_snr: true,
    set_alpha_to_one: false,
    steps_offset: 1,
    // A short chain must begin at the noisiest timestep (Lin et al. 2024); `leading` with 8 steps would begin at 876.
    timestep_spacing: 'trailing',
  },
} satisfies FolderConfigs

/** model_index.json: which class reads which folder. */
export const starterIndex = {
  _class_name: 'StableDiffusionPipeline',
  _diffusers_version: WRITTEN_FOR,
  feature_extractor: [null, null],
  requires_safety_checker: false,
  safety_checker: [null, null],
  scheduler: ['diffusers', 'DDIMScheduler'],
  text_encoder: ['transformers', 'CLIPTextModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  unet: ['diffusers', 'UNet2DConditionModel'],
  vae: ['diffusers', 'AutoencoderKL'],
}
