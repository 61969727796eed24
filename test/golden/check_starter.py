"""Compares the pictures that Halfstep and diffusers draw with the starter model, from the same latents and noises.

    python check_starter.py FOLDER --steps 8 --guidance 3

FOLDER is a starter model as `writeStarter` leaves it. It is drawn without noise (η = 0) and with given noise in every step (η = 1);
the largest difference of any pixel is printed. Halfstep steps from each timestep of a chain to the next one, diffusers by
1000 // steps: the pictures are the same where 1000 is a multiple of the steps. From pure noise (zero terminal signal-to-noise ratio)
diffusers' first step at η = 1 takes the root of 1 − ᾱ' − σ² = 0, which rounds to NaN for some numbers of steps (6, 7, 16, 25, 50), but
not for 5, 8 and 10. Development only.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import save_file

HERE = Path(__file__).parent
LARGEST_DIFFERENCE = 2
"""In steps of 1/255."""

PROMPTS = ['a left hand, palm open, five fingers, pale skin, blue background', '', 'exactly five fingers ' * 10]


def theirs(pipeline: StableDiffusionPipeline, start: torch.Tensor, noise: torch.Tensor, eta: float, guidance: float) -> numpy.ndarray:
    """Pictures [count, height, width, 3], 0 to 255."""
    scheduler = pipeline.scheduler
    step = type(scheduler).step
    position = 0

    # The pipeline looks at the signature to see whether the scheduler takes eta.
    def given(model_output, timestep, sample, eta=0.0, **_):
        nonlocal position
        last = position == len(noise) - 1
        z = None if last or eta == 0 else noise[position]
        position += 1
        return step(scheduler, model_output, timestep, sample, eta=0.0 if last else eta, variance_noise=z, return_dict=False)

    scheduler.step = given
    try:
        result = pipeline(
            PROMPTS, latents=start.clone(), num_inference_steps=len(noise), guidance_scale=guidance, eta=eta, output_type='np')
    finally:
        del scheduler.step
    return (result.images * 255).round()


def ours(model: Path, latents: Path, out: Path, eta: float, guidance: float, steps: int) -> numpy.ndarray:
    command = ['node', 'main/cli/halfstep.mjs', 'generate', '--model', str(model), '--latents', str(latents), '--out', str(out)]
    command += ['--steps', str(steps), '--eta', str(eta), '--guidance', str(guidance), '--seed', '1', '--device', 'cpu', '--precision', 'float32']
    subprocess.run([*command, '--prompt', *PROMPTS], cwd=HERE.parent.parent, check=True, stdout=subprocess.DEVNULL)
    return numpy.stack([numpy.asarray(Image.open(file).convert('RGB'), dtype=numpy.float64) for file in sorted(out.glob('*.png'))])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--steps', type=int, default=8)
    parser.add_argument('--guidance', type=float, default=3)
    options = parser.parse_args()
    pipeline = StableDiffusionPipeline.from_pretrained(options.folder).to(dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    unet = pipeline.unet.config
    shape = (len(PROMPTS), unet.in_channels, unet.sample_size, unet.sample_size)
    generator = torch.Generator().manual_seed(11)
    start = torch.randn(shape, generator=generator)
    noise = torch.randn(options.steps, *shape, generator=generator)
    differences = []
    with tempfile.TemporaryDirectory() as scratch:
        latents = Path(scratch) / 'latents.safetensors'
        save_file({'latents': start, 'noise': noise}, latents)
        for eta in (0, 1):
            mine = ours(options.folder.resolve(), latents, Path(scratch) / f'eta-{eta}', eta, options.guidance, options.steps)
            reference = theirs(pipeline, start, noise, eta, options.guidance)
            difference = abs(mine - reference).max()
            differences.append(difference)
            size = 'x'.join(str(side) for side in mine.shape[1:3])
            print(f'eta {eta}: {len(mine)} pictures of {size}: largest difference {difference:.0f}/255, standard deviation {mine.std():.0f}/255')
    # NaN is no match either.
    return 0 if all(difference <= LARGEST_DIFFERENCE for difference in differences) else 1


if __name__ == '__main__':
    sys.exit(main())
