"""Compares pictures drawn by `halfstep generate` with an adapter against diffusers' from the same latents.

    halfstep train recipe.json --out run
    python check_pictures.py latents MODEL latents.safetensors --count 3
    halfstep generate --model MODEL --prompt "…" --adapter run/adapter.safetensors --latents latents.safetensors \\
        --steps 10 --guidance 4 --out pictures
    python check_pictures.py compare MODEL run/adapter.safetensors latents.safetensors pictures --prompt "…" --steps 10 --guidance 4

`compare` prints the largest pixel difference with the adapter, and how far the same pictures move without it, so that an
adapter that does nothing cannot pass. Development only.
"""

import argparse
import sys
from pathlib import Path

import numpy
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file

LARGEST_DIFFERENCE = 2
"""In steps of 1/255."""


def write_latents(model: Path, file: Path, count: int) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(model)
    size = pipeline.unet.config.sample_size
    torch.manual_seed(11)
    save_file({'latents': torch.randn(count, pipeline.unet.config.in_channels, size, size)}, file)


def draw(model: Path, adapter: Path | None, latents: torch.Tensor, options: argparse.Namespace) -> numpy.ndarray:
    """Pictures [count, height, width, 3], 0 to 255."""
    # In float32, also from weights that are stored as float16: Halfstep computes so on the processor.
    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    if adapter is not None:
        pipeline.load_lora_weights(adapter.parent, weight_name=adapter.name)
        pipeline.to(torch.float32)
    result = pipeline(
        [options.prompt] * len(latents), latents=latents, num_inference_steps=options.steps, guidance_scale=options.guidance, output_type='np',
    )
    return (result.images * 255).round()


def compare(options: argparse.Namespace) -> int:
    latents = load_file(options.latents)['latents']
    files = sorted(options.pictures.glob('*.png'))
    ours = numpy.stack([numpy.asarray(Image.open(file).convert('RGB'), dtype=numpy.float64) for file in files])
    with_adapter = draw(options.model, options.adapter, latents, options)
    without = draw(options.model, None, latents, options)
    largest = abs(ours - with_adapter).max()
    print(f'{len(files)} pictures: largest difference {largest:.0f}/255; the adapter moves pixels by up to {abs(with_adapter - without).max():.0f}/255')
    return 0 if largest <= LARGEST_DIFFERENCE else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    making = commands.add_parser('latents')
    making.add_argument('model', type=Path)
    making.add_argument('latents', type=Path)
    making.add_argument('--count', type=int, default=3)
    comparing = commands.add_parser('compare')
    comparing.add_argument('model', type=Path)
    comparing.add_argument('adapter', type=Path)
    comparing.add_argument('latents', type=Path)
    comparing.add_argument('pictures', type=Path)
    comparing.add_argument('--prompt', required=True)
    comparing.add_argument('--steps', type=int, default=10)
    comparing.add_argument('--guidance', type=float, default=4)
    options = parser.parse_args()
    if options.command == 'latents':
        write_latents(options.model, options.latents, options.count)
        return 0
    return compare(options)


if __name__ == '__main__':
    sys.exit(main())
