"""The micro models: every configuration of the golden folders, in the words of diffusers and transformers.

Sizes are as small as the architectures allow; everything else (activations, heads, projections, prediction type,
conditioning) is what the real family has, or a value that real files have and that would show a wrong reading.
"""

from dataclasses import dataclass, field
from typing import Any

Config = dict[str, Any]


@dataclass(frozen=True)
class Storage:
    """How a component's weights lie on disk; references are computed in float32 from the rounded weights."""

    dtype: str = 'float32'
    shard_bytes: int | None = None
    text_prefix: bool = True
    """Whether CLIP text weights carry the `text_model.` prefix; both forms exist in the wild."""


@dataclass(frozen=True)
class Sampling:
    """A DDIM chain with classifier-free guidance and the window [i0, h] of the half-order estimator."""

    steps: int
    guidance_scale: float
    eta: float
    window: tuple[int, int]


@dataclass(frozen=True)
class Adapter:
    """LoRA on every UNet module whose path matches one of the patterns (`re.search`)."""

    rank: int
    alpha: float
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Micro:
    """One golden folder."""

    name: str
    pipeline: str
    seed: int
    prompts: tuple[str, ...]
    latent: tuple[int, int]
    """Latent height and width."""
    text_encoder: Config | None = None
    text_encoder_2: Config | None = None
    image_encoder: Config | None = None
    head_widths: tuple[int, ...] = ()
    unet: Config | None = None
    vae: Config | None = None
    scheduler: Config = field(default_factory=dict)
    tokenizer: Config = field(default_factory=dict)
    storage: dict[str, Storage] = field(default_factory=dict)
    adapter: Adapter | None = None
    sampling: Sampling | None = None


ATTENTION = r'attn[12]\.to_(q|k|v|out\.0)$'
FEED_FORWARD = r'ff\.net\.(0\.proj|2)$'
PROJECTIONS = r'\.proj_(in|out)$'
CONVOLUTIONS = r'resnets\.\d+\.(conv1|conv2|conv_shortcut)$|samplers\.\d+\.conv$'
TIME = r'time_emb_proj$'


def scheduler(prediction_type: str = 'epsilon', **changes: Any) -> Config:
    """The DDIM settings that all Stable Diffusion releases share."""
    return {
        'num_train_timesteps': 1000, 'beta_start': 0.00085, 'beta_end': 0.012, 'beta_schedule': 'scaled_linear',
        'clip_sample': False, 'set_alpha_to_one': False, 'steps_offset': 1, 'timestep_spacing': 'leading',
        'prediction_type': prediction_type, **changes,
    }


def text(hidden: int, layers: int, heads: int, act: str, eos: int = 2, **changes: Any) -> Config:
    """A CLIP text encoder over the 1,024 tokens of the micro tokenizer.

    `eos = 2` is the value in most released configs, although the end token is the last of the vocabulary: such
    files pool at the largest token id. `eos = 1023` pools at the first end token.
    """
    return {
        'vocab_size': 1024, 'max_position_embeddings': 77, 'hidden_size': hidden, 'intermediate_size': 2 * hidden,
        'num_hidden_layers': layers, 'num_attention_heads': heads, 'hidden_act': act, 'projection_dim': hidden,
        'bos_token_id': 1022 if eos == 1023 else 0, 'eos_token_id': eos, 'pad_token_id': 1023 if eos == 1023 else 1, **changes,
    }


def unet(channels: tuple[int, ...], attention: tuple[bool, ...], cross_attention_dim: int, **changes: Any) -> Config:
    """UNet2DConditionModel with attention on the levels where `attention` is true, top level first."""
    down = ['CrossAttnDownBlock2D' if has else 'DownBlock2D' for has in attention]
    up = ['CrossAttnUpBlock2D' if has else 'UpBlock2D' for has in reversed(attention)]
    return {
        'sample_size': 16, 'block_out_channels': list(channels), 'down_block_types': down, 'up_block_types': up,
        'layers_per_block': 1, 'norm_num_groups': 8, 'cross_attention_dim': cross_attention_dim, **changes,
    }


def vae(channels: tuple[int, ...], scaling_factor: float = 0.18215, **changes: Any) -> Config:
    """AutoencoderKL with one resnet per block and as many halvings as there are levels less one."""
    return {
        'block_out_channels': list(channels), 'down_block_types': ['DownEncoderBlock2D'] * len(channels),
        'up_block_types': ['UpDecoderBlock2D'] * len(channels), 'layers_per_block': 1, 'norm_num_groups': 8,
        'latent_channels': 4, 'sample_size': 128, 'scaling_factor': scaling_factor, **changes,
    }


SD21 = Micro(
    name='sd21-micro', pipeline='StableDiffusionPipeline', seed=2101,
    prompts=('a portrait of an old sailor, oil on canvas', 'mountains'), latent=(16, 8),
    text_encoder=text(32, 3, 2, 'gelu'),
    unet=unet(
        (16, 32, 32, 32), (True, True, True, False), 32,
        attention_head_dim=[1, 2, 4, 8], use_linear_projection=True, upcast_attention=True,
    ),
    vae=vae((16, 16, 16, 24)),
    scheduler=scheduler('v_prediction'), tokenizer={'pad_token': '!'},
    adapter=Adapter(4, 4.0, (ATTENTION, FEED_FORWARD)),
    sampling=Sampling(5, 4.0, 1.0, (1, 2)),
)

SDXL = Micro(
    name='sdxl-micro', pipeline='StableDiffusionXLPipeline', seed=1001,
    prompts=('a red fox in the snow, photograph', 'the harbour of a small town at night'), latent=(8, 16),
    text_encoder=text(32, 2, 4, 'quick_gelu'),
    text_encoder_2=text(40, 3, 5, 'gelu', projection_dim=24),
    unet=unet(
        (16, 32, 32), (False, True, True), 32,
        attention_head_dim=[2, 4, 8], transformer_layers_per_block=[1, 2, 3], use_linear_projection=True,
        addition_embed_type='text_time', addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + 24,
    ),
    vae=vae((16, 16, 16, 24), 0.13025),
    scheduler=scheduler(),
    adapter=Adapter(2, 3.0, (ATTENTION, PROJECTIONS)),
    sampling=Sampling(4, 6.0, 1.0, (1, 2)),
)

SD15_SHAPES = Micro(
    name='sd15-shapes', pipeline='StableDiffusionPipeline', seed=1501,
    # 6×10 is not a multiple of the UNet's fourfold reduction, so the upsamplers must meet the skip connections' sizes.
    prompts=('a bowl of cherries', 'two cats, watercolour', 'the sea'), latent=(6, 10),
    text_encoder=text(24, 2, 3, 'quick_gelu', eos=1023),
    unet=unet((16, 24, 32), (True, True, False), 24, attention_head_dim=4, layers_per_block=2),
    vae=vae((16, 16, 24, 32)),
    scheduler=scheduler(),
    storage={
        'text_encoder': Storage(text_prefix=False), 'unet': Storage(shard_bytes=500_000), 'vae': Storage(dtype='float16'),
    },
    adapter=Adapter(3, 5.0, (FEED_FORWARD, PROJECTIONS, CONVOLUTIONS, TIME)),
    sampling=Sampling(5, 3.0, 0.7, (0, 3)),
)

SD21_BF16 = Micro(
    name='sd21-bf16', pipeline='StableDiffusionPipeline', seed=2116,
    prompts=('a lighthouse',), latent=(8, 8),
    text_encoder=text(16, 2, 2, 'gelu'),
    unet=unet(
        (8, 16), (True, False), 16, attention_head_dim=[1, 2], use_linear_projection=True, norm_num_groups=4,
    ),
    vae=vae((8, 8, 16, 16), norm_num_groups=4),
    scheduler=scheduler('v_prediction'), tokenizer={'pad_token': '!'},
    storage={
        'text_encoder': Storage('float16'), 'unet': Storage('bfloat16'), 'vae': Storage('float16'),
    },
)

CLIP_VISION = Micro(
    name='clip-vision-micro', pipeline='', seed=3201, prompts=(), latent=(0, 0),
    image_encoder={
        'hidden_size': 32, 'intermediate_size': 64, 'num_hidden_layers': 3, 'num_attention_heads': 4, 'num_channels': 3,
        'image_size': 40, 'patch_size': 8, 'hidden_act': 'quick_gelu', 'projection_dim': 24,
    },
    head_widths=(24, 16, 8, 1),
)

CONFIGURATIONS = {micro.name: micro for micro in (SD21, SDXL, SD15_SHAPES, SD21_BF16, CLIP_VISION)}
