"""Exchanges LoRA files with diffusers through its public API, and compares what they do to the UNet.

    python check_adapter.py check sd15-micro FILE                     does FILE, loaded by diffusers, give `unet_lora.output`?
    python check_adapter.py write sd15-micro FILE --format kohya      the cases' adapter as a file, for our readers

Formats: `peft` is what a diffusers pipeline saves (`unet.` names, peft's settings in the metadata), `unet` what the model
alone saves (the same without the prefix), `kohya` the names of sd-scripts (`lora_unet_…`, an alpha per module;
blocks numbered as in the original layout for SDXL).
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch import Tensor

import micro_model
import original_names
from cases import Cases, adapter_parameters, lora_names, unet_call
from micro_model import Model

HERE = Path(__file__).parent
TOLERANCE = 1e-4


def pipeline_of(model: Model) -> StableDiffusionPipeline | StableDiffusionXLPipeline:
    """A pipeline around the folder's components, because users load adapters into pipelines."""
    shared = {name: getattr(model, name) for name in ('vae', 'text_encoder', 'tokenizer', 'unet', 'scheduler')}
    if model.text_encoder_2 is not None:
        return StableDiffusionXLPipeline(**shared, text_encoder_2=model.text_encoder_2, tokenizer_2=model.tokenizer)
    return StableDiffusionPipeline(**shared, safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def load_adapter(model: Model, file: Path) -> None:
    """Loads by the route that a diffusers user would take for the names in the file."""
    if all(name.startswith(('unet.', 'lora_unet_')) for name in load_file(file)):
        pipeline_of(model).load_lora_weights(file.parent, weight_name=file.name)
    else:
        model.unet.load_lora_adapter(file.parent, weight_name=file.name, prefix=None)


def check(folder: Path, file: Path) -> bool:
    """Every module of the file must have found its place, and the output must be that of the cases."""
    model, cases = micro_model.load(folder), load_file(folder / 'cases.safetensors')
    load_adapter(model, file)
    placed = sum('.lora_A.' in name for name, _ in model.unet.named_parameters())
    with torch.no_grad():
        output = unet_call(model, cases, cases['unet.sample'], cases['unet.timestep'], cases['unet.encoder_hidden_states'])
    reference = cases['unet_lora.output']
    error = float((output - reference).norm() / reference.norm())
    print(f'{file.name}: {placed} of {len(lora_names(cases)) // 2} modules, relative error {error:.1e}')
    return error <= TOLERANCE


def write_peft(folder: Path, cases: Cases, file: Path, whole_pipeline: bool) -> None:
    """Saved by diffusers itself; it wants a folder, so the file is moved out of a temporary one."""
    model = micro_model.load(folder)
    adapter_parameters(model, cases)
    with tempfile.TemporaryDirectory() as scratch:
        if whole_pipeline:
            pipeline = pipeline_of(model)
            layers = get_peft_model_state_dict(model.unet, adapter_name='default')
            settings = model.unet.peft_config['default'].to_dict()
            pipeline.save_lora_weights(scratch, unet_lora_layers=layers, unet_lora_adapter_metadata=settings)
        else:
            model.unet.save_lora_adapter(scratch)
        shutil.move(Path(scratch) / 'pytorch_lora_weights.safetensors', file)


def kohya_modules(folder: Path, paths: list[str]) -> dict[str, str]:
    """Module names of sd-scripts: those of diffusers with underscores, but those of the original layout for SDXL."""
    config = json.loads((folder / 'unet' / 'config.json').read_text())
    table = original_names.unet_table(config) if (folder / 'text_encoder_2').exists() else {}
    original = {path: original_names.unet_path(f'{path}.', table)[:-1] if table else path for path in paths}
    return {path: 'lora_unet_' + name.replace('.', '_') for path, name in original.items()}


def kohya_state(folder: Path, cases: Cases) -> dict[str, Tensor]:
    """A is `lora_down`, B is `lora_up`, and every module has its alpha."""
    paths = [name.removesuffix('.lora_A.weight') for name in lora_names(cases) if name.endswith('.lora_A.weight')]
    state: dict[str, Tensor] = {}
    for path, module in kohya_modules(folder, paths).items():
        state[f'{module}.lora_down.weight'] = cases[f'lora.{path}.lora_A.weight']
        state[f'{module}.lora_up.weight'] = cases[f'lora.{path}.lora_B.weight']
        state[f'{module}.alpha'] = cases['lora.alpha'].clone()
    return dict(sorted(state.items()))


def kohya_metadata(cases: Cases) -> dict[str, str]:
    """The part of sd-scripts' metadata that says what the network is."""
    return {
        'ss_network_module': 'networks.lora', 'ss_network_dim': str(int(cases['lora.rank'])),
        'ss_network_alpha': str(float(cases['lora.alpha'])),
    }


def write(folder: Path, file: Path, form: str) -> None:
    cases = load_file(folder / 'cases.safetensors')
    file.parent.mkdir(parents=True, exist_ok=True)
    if form == 'kohya':
        save_file(kohya_state(folder, cases), file, kohya_metadata(cases))
    else:
        write_peft(folder, cases, file, whole_pipeline=form == 'peft')
    file.chmod(0o644)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('action', choices=('check', 'write'))
    parser.add_argument('folder', help='a model folder with cases.safetensors, or the name of a golden folder')
    parser.add_argument('file', type=Path)
    parser.add_argument('--format', choices=('peft', 'unet', 'kohya'), default='peft')
    options = parser.parse_args()
    folder = Path(options.folder) if Path(options.folder).is_dir() else HERE / options.folder
    if options.action == 'check':
        return 0 if check(folder, options.file) else 1
    write(folder, options.file, options.format)
    return 0


if __name__ == '__main__':
    sys.exit(main())
