"""PyTorch's side of the engine benchmark: a full-size UNet with LoRA on its attention, float32 on the CPU.

    python torch_reference.py --latent 32 [--config sd15|sd21|sdxl] [--batch 1] [--threads 2] [--repeats 3]

Prints one JSON line per measurement (forward; VJP; VJP with gradient checkpointing), each taken in a process of its own.
`seconds` is the median after a warm-up and `fastest` the minimum; `memory_above_weights` is the peak resident bytes of the
first full-size run above what the process held when the model was built and a tiny input had been through it.
"""

import argparse
import ctypes
import json
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable

import torch
from diffusers import UNet2DConditionModel
from diffusers.utils import logging
from peft import LoraConfig
from torch import Tensor

logging.set_verbosity_error()

ATTENTION_ON_THREE_OF_FOUR: dict[str, Any] = {
    'block_out_channels': (320, 640, 1280, 1280),
    'down_block_types': ('CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'),
    'up_block_types': ('UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'),
    'layers_per_block': 2,
}
CONFIGS: dict[str, dict[str, Any]] = {
    'sd15': {**ATTENTION_ON_THREE_OF_FOUR, 'attention_head_dim': 8, 'cross_attention_dim': 768},
    'sd21': {
        **ATTENTION_ON_THREE_OF_FOUR, 'attention_head_dim': (5, 10, 20, 20), 'cross_attention_dim': 1024,
        'use_linear_projection': True,
    },
    'sdxl': {
        'block_out_channels': (320, 640, 1280),
        'down_block_types': ('DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'),
        'up_block_types': ('CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'),
        'layers_per_block': 2, 'attention_head_dim': (5, 10, 20), 'cross_attention_dim': 2048,
        'transformer_layers_per_block': (1, 2, 10), 'use_linear_projection': True, 'addition_embed_type': 'text_time',
        'addition_time_embed_dim': 256, 'projection_class_embeddings_input_dim': 2816,
    },
}
LORA_TARGETS = ['to_q', 'to_k', 'to_v', 'to_out.0']
LORA_RANK = 4
TOKENS = 77
KINDS = ('forward', 'vjp', 'vjp-checkpointed')


def build(config: str, checkpointed: bool) -> UNet2DConditionModel:
    """Random weights, of which only the adapter's want a gradient."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(**CONFIGS[config]).eval().requires_grad_(False)
    unet.add_adapter(LoraConfig(r=LORA_RANK, lora_alpha=LORA_RANK, target_modules=LORA_TARGETS, init_lora_weights=False))
    if checkpointed:
        unet.enable_gradient_checkpointing()
    return unet


def evaluate(unet: UNet2DConditionModel, sample: Tensor, batch: int) -> Tensor:
    timestep = torch.full((batch,), 500)
    condition = torch.randn(batch, TOKENS, unet.config.cross_attention_dim)
    added = None
    if unet.config.addition_embed_type == 'text_time':
        pooled = unet.config.projection_class_embeddings_input_dim - 6 * unet.config.addition_time_embed_dim
        added = {'text_embeds': torch.randn(batch, pooled), 'time_ids': torch.full((batch, 6), 512.0)}
    return unet(sample, timestep, condition, added_cond_kwargs=added).sample


def forward(unet: UNet2DConditionModel, batch: int, latent: int) -> None:
    with torch.no_grad():
        evaluate(unet, torch.randn(batch, 4, latent, latent), batch)


def vjp(unet: UNet2DConditionModel, batch: int, latent: int) -> None:
    """Gradient of ⟨upstream, output⟩ with respect to the adapter and the sample."""
    sample = torch.randn(batch, 4, latent, latent, requires_grad=True)
    adapter = [parameter for name, parameter in unet.named_parameters() if '.lora_' in name]
    output = evaluate(unet, sample, batch)
    torch.autograd.grad(output, [sample, *adapter], torch.randn_like(output))


def resident(field: str) -> int:
    """A figure of this process in bytes: `VmRSS` now, or `VmHWM`, its peak since the last reset."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise ValueError(f'/proc/self/status has no {field}')


def peak_above_now(action: Callable[[], None]) -> int:
    """Peak resident memory of the action above what is held before it; building the model does not count."""
    # Freed memory that the allocator still holds would hide part of the peak. Writing 5 resets the peak (proc(5)).
    ctypes.CDLL('libc.so.6').malloc_trim(0)
    Path('/proc/self/clear_refs').write_text('5')
    held = resident('VmRSS')
    action()
    return resident('VmHWM') - held


def seconds(action: Callable[[], None]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(options: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(options.threads)
    unet = build(options.config, options.measure == 'vjp-checkpointed')
    run = forward if options.measure == 'forward' else vjp
    run(unet, options.batch, 8)
    memory = peak_above_now(lambda: run(unet, options.batch, options.latent))
    times = [seconds(lambda: run(unet, options.batch, options.latent)) for _ in range(options.repeats)]
    return {
        'engine': 'torch', 'kind': options.measure, 'config': options.config, 'latent': options.latent, 'batch': options.batch,
        'threads': options.threads, 'seconds': round(statistics.median(times), 3), 'fastest': round(min(times), 3),
        'memory_above_weights': memory,
        'weights': sum(parameter.numel() * 4 for parameter in unet.parameters()),
        'versions': {name: version(name) for name in ('torch', 'diffusers', 'peft')},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', choices=CONFIGS, default='sd15')
    parser.add_argument('--latent', type=int, default=32)
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--measure', choices=KINDS, help='one measurement in this process, instead of all in children')
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options)), flush=True)
        return 0
    return max(subprocess.run([sys.executable, __file__, *sys.argv[1:], '--measure', kind]).returncode for kind in KINDS)


if __name__ == '__main__':
    sys.exit(main())
