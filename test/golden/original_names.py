"""Names and shapes of the original (CompVis, Stability) layout, from those of diffusers.

The UNet's blocks are numbered through: `input_blocks.0` is the first convolution, then every resnet (with its
attention) and every downsampler takes one number; `output_blocks` count the resnets, and an upsampler shares the number
of the resnet before it.
"""

import re
from typing import Any

import torch
from torch import Tensor

State = dict[str, Tensor]
Config = dict[str, Any]

UNET_PREFIX = 'model.diffusion_model.'
VAE_PREFIX = 'first_stage_model.'

UNET_ENDS = {
    'conv_in.': 'input_blocks.0.0.', 'time_embedding.linear_1.': 'time_embed.0.', 'time_embedding.linear_2.': 'time_embed.2.',
    'add_embedding.linear_1.': 'label_emb.0.0.', 'add_embedding.linear_2.': 'label_emb.0.2.',
    'conv_norm_out.': 'out.0.', 'conv_out.': 'out.2.',
    'mid_block.resnets.0.': 'middle_block.0.', 'mid_block.attentions.0.': 'middle_block.1.', 'mid_block.resnets.1.': 'middle_block.2.',
}
UNET_RESNET = {
    'norm1.': 'in_layers.0.', 'conv1.': 'in_layers.2.', 'time_emb_proj.': 'emb_layers.1.',
    'norm2.': 'out_layers.0.', 'conv2.': 'out_layers.3.', 'conv_shortcut.': 'skip_connection.',
}
VAE_PARTS = {
    'conv_norm_out.': 'norm_out.', 'conv_shortcut.': 'nin_shortcut.', 'mid_block.resnets.0.': 'mid.block_1.',
    'mid_block.resnets.1.': 'mid.block_2.', 'mid_block.attentions.0.': 'mid.attn_1.', 'group_norm.': 'norm.',
    'to_q.': 'q.', 'to_k.': 'k.', 'to_v.': 'v.', 'to_out.0.': 'proj_out.',
}
OPEN_CLIP_LAYER = {'layer_norm1': 'ln_1', 'layer_norm2': 'ln_2', 'mlp.fc1': 'mlp.c_fc', 'mlp.fc2': 'mlp.c_proj', 'self_attn.': 'attn.'}


def replace_start(name: str, table: dict[str, str]) -> str:
    """The name with the first table entry that starts it replaced, or unchanged."""
    for ours, theirs in table.items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def replace_all(name: str, table: dict[str, str]) -> str:
    for ours, theirs in table.items():
        name = name.replace(ours, theirs)
    return name


def unet_blocks(config: Config) -> dict[str, str]:
    """`down_blocks.1.resnets.0.` → `input_blocks.4.0.` and so on for every resnet, attention and sampler."""
    layers, levels = config['layers_per_block'], len(config['block_out_channels'])
    table: dict[str, str] = {}
    number = 1
    for level in range(levels):
        for layer in range(layers):
            table[f'down_blocks.{level}.resnets.{layer}.'] = f'input_blocks.{number}.0.'
            table[f'down_blocks.{level}.attentions.{layer}.'] = f'input_blocks.{number}.1.'
            number += 1
        if level < levels - 1:
            table[f'down_blocks.{level}.downsamplers.0.conv.'] = f'input_blocks.{number}.0.op.'
            number += 1
    for level, kind in enumerate(config['up_block_types']):
        for layer in range(layers + 1):
            number = level * (layers + 1) + layer
            table[f'up_blocks.{level}.resnets.{layer}.'] = f'output_blocks.{number}.0.'
            table[f'up_blocks.{level}.attentions.{layer}.'] = f'output_blocks.{number}.1.'
        sampler = 2 if kind.startswith('CrossAttn') else 1
        table[f'up_blocks.{level}.upsamplers.0.conv.'] = f'output_blocks.{number}.{sampler}.conv.'
    return table


def unet_path(path: str, table: dict[str, str]) -> str:
    """The original name of a UNet parameter or module; `path` of a module ends with a dot."""
    block, resnet, inner = re.match(r'(.*?)(resnets\.\d+\.|$)(.*)', path).groups()
    return replace_start(block + resnet + replace_start(inner, UNET_RESNET), table)


def unet_table(config: Config) -> dict[str, str]:
    return UNET_ENDS | unet_blocks(config)


def unet_state(state: State, config: Config) -> State:
    table = unet_table(config)
    return {UNET_PREFIX + unet_path(name, table): tensor for name, tensor in state.items()}


def vae_state(state: State, config: Config) -> State:
    """The decoder's levels are numbered from the bottom up, and attention projections are 1×1 convolutions."""
    last = len(config['block_out_channels']) - 1
    renamed: State = {}
    for name, tensor in state.items():
        name = replace_all(name, VAE_PARTS)
        name = re.sub(r'down_blocks\.(\d+)\.resnets\.', r'down.\1.block.', name)
        name = re.sub(r'down_blocks\.(\d+)\.downsamplers\.0\.', r'down.\1.downsample.', name)
        name = re.sub(r'up_blocks\.(\d+)\.resnets\.', lambda found: f'up.{last - int(found[1])}.block.', name)
        name = re.sub(r'up_blocks\.(\d+)\.upsamplers\.0\.', lambda found: f'up.{last - int(found[1])}.upsample.', name)
        if '.attn_1.' in name and tensor.ndim == 2:
            tensor = tensor[:, :, None, None]
        renamed[VAE_PREFIX + name] = tensor
    return renamed


def clip_state(state: State, prefix: str) -> State:
    """SD 1.x and SDXL's first encoder keep the names of transformers, and an old buffer of position ids."""
    positions = next(tensor.shape[0] for name, tensor in state.items() if name.endswith('position_embedding.weight'))
    renamed = {f'{prefix}transformer.text_model.{name.removeprefix("text_model.")}': tensor for name, tensor in state.items()}
    renamed[f'{prefix}transformer.text_model.embeddings.position_ids'] = torch.arange(positions)[None]
    return renamed


def open_clip_state(state: State, prefix: str, unused_layer: bool) -> State:
    """OpenCLIP: q, k and v fused row-wise, `text_projection` stored transposed.

    SD 2.x conditions on the last layer but one: diffusers leaves the last layer out of its folder, the original file has
    it (`unused_layer`), along with a projection that is not used either.
    """
    state = {name.removeprefix('text_model.'): tensor for name, tensor in state.items()}
    width = state['final_layer_norm.weight'].shape[0]
    projection = state.pop('text_projection.weight', torch.eye(width))
    renamed = {
        'positional_embedding': state.pop('embeddings.position_embedding.weight'),
        'token_embedding.weight': state.pop('embeddings.token_embedding.weight'),
        'ln_final.weight': state.pop('final_layer_norm.weight'),
        'ln_final.bias': state.pop('final_layer_norm.bias'),
        'text_projection': projection.T,
        'logit_scale': torch.tensor(4.6052),
    }
    count = 1 + max(int(name.split('.')[2]) for name in state)
    for layer in range(count):
        start = f'encoder.layers.{layer}.'
        members = {name.removeprefix(start): tensor for name, tensor in state.items() if name.startswith(start)}
        renamed |= {f'transformer.resblocks.{layer}.{name}': tensor for name, tensor in open_clip_layer(members).items()}
        if unused_layer and layer == count - 1:
            extra = {name: tensor + 0.5 for name, tensor in open_clip_layer(members).items()}
            renamed |= {f'transformer.resblocks.{count}.{name}': tensor for name, tensor in extra.items()}
    return {f'{prefix}model.{name}': tensor for name, tensor in renamed.items()}


def open_clip_layer(members: State) -> State:
    fused: State = {}
    for kind in ('weight', 'bias'):
        fused[f'attn.in_proj_{kind}'] = torch.cat([members[f'self_attn.{part}_proj.{kind}'] for part in 'qkv'])
    rest = {name: tensor for name, tensor in members.items() if not re.match(r'self_attn\.[qkv]_proj', name)}
    return fused | {replace_all(name, OPEN_CLIP_LAYER): tensor for name, tensor in rest.items()}
