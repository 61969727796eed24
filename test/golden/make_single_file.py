"""Writes a diffusers folder as one file in the original layout, and checks that diffusers reads it back unchanged.

    python make_single_file.py sd21-micro [--bare] [--out DIR]

The family follows from the folder: a second text encoder is SDXL, linear projections are SD 2.x, the rest is SD 1.x.
Released files have no configuration. Head counts and norm groups of micro models cannot be inferred from shapes, so the
components' configurations are written into the metadata as `halfstep.<component>_config`; `--bare` leaves them out.
"""

import argparse
import json
from pathlib import Path

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file
from torch import Tensor

import micro_model
import original_names

HERE = Path(__file__).parent


def component_state(folder: Path) -> dict[str, Tensor]:
    """All tensors of a component, sharded or not, as stored."""
    state: dict[str, Tensor] = {}
    for file in sorted(folder.glob('*.safetensors')):
        state |= load_file(file)
    return state


def component_config(folder: Path) -> dict:
    file = folder / ('scheduler_config.json' if folder.name == 'scheduler' else 'config.json')
    return json.loads(file.read_text())


def family_of(folder: Path) -> str:
    if (folder / 'text_encoder_2').exists():
        return 'sdxl'
    return 'sd2' if component_config(folder / 'unet')['use_linear_projection'] else 'sd1'


def text_state(folder: Path, family: str) -> dict[str, Tensor]:
    first = component_state(folder / 'text_encoder')
    if family == 'sd1':
        return original_names.clip_state(first, 'cond_stage_model.')
    if family == 'sd2':
        return original_names.open_clip_state(first, 'cond_stage_model.', unused_layer=True)
    second = component_state(folder / 'text_encoder_2')
    return {
        **original_names.clip_state(first, 'conditioner.embedders.0.'),
        **original_names.open_clip_state(second, 'conditioner.embedders.1.', unused_layer=False),
    }


def convert(folder: Path) -> dict[str, Tensor]:
    """The folder's weights under their original names, with the schedule's buffers that SD 1.x and 2.x files carry."""
    family = family_of(folder)
    state = {
        **original_names.unet_state(component_state(folder / 'unet'), component_config(folder / 'unet')),
        **original_names.vae_state(component_state(folder / 'vae'), component_config(folder / 'vae')),
        **text_state(folder, family),
    }
    if family != 'sdxl':
        state['alphas_cumprod'] = DDIMScheduler.from_pretrained(folder / 'scheduler').alphas_cumprod
    return state


def metadata(folder: Path, bare: bool) -> dict[str, str]:
    components = [] if bare else ['unet', 'vae', 'text_encoder', 'text_encoder_2', 'scheduler']
    configs = {f'halfstep.{name}_config': component_config(folder / name) for name in components if (folder / name).exists()}
    return {'format': 'pt', **{key: json.dumps(config) for key, config in configs.items()}}


def verify(file: Path, folder: Path) -> int:
    """Loads the file with diffusers' own reader and returns the number of tensors, all equal to those of the folder."""
    pipeline_class = StableDiffusionXLPipeline if family_of(folder) == 'sdxl' else StableDiffusionPipeline
    pipeline = pipeline_class.from_single_file(str(file), config=str(folder), local_files_only=True, torch_dtype=torch.float32)
    expected = micro_model.load(folder)
    count = 0
    for name in ('unet', 'vae', 'text_encoder', 'text_encoder_2'):
        if getattr(expected, name) is None:
            continue
        loaded = getattr(pipeline, name).state_dict()
        for key, tensor in getattr(expected, name).state_dict().items():
            if not torch.equal(loaded[key], tensor):
                raise ValueError(f'{file}: {name}.{key} did not come back')
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='+', help='golden folders')
    parser.add_argument('--bare', action='store_true', help='metadata as in released files: nothing but the format')
    parser.add_argument('--out', type=Path, default=HERE / 'single-file')
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names:
        folder, file = HERE / name, options.out / f'{name}.safetensors'
        state = {key: tensor.contiguous().clone() for key, tensor in convert(folder).items()}
        save_file(state, file, metadata(folder, options.bare))
        file.chmod(0o644)
        print(f'{name}: {len(state)} tensors, {verify(file, folder)} verified, {file.stat().st_size / 2**20:.1f} MiB')


if __name__ == '__main__':
    main()
