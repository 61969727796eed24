"""Making, storing and loading a model folder in the diffusers layout."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import (
    CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer, CLIPVisionConfig, CLIPVisionModelWithProjection,
)

from configurations import Micro, Storage

# What matters is checked and raised here; notices about absent text adapters and progress bars are noise.
diffusers_logging.set_verbosity_error()
diffusers_logging.disable_progress_bar()

HERE = Path(__file__).parent
TOKENIZER = HERE / 'sd15-micro' / 'tokenizer'

CLIP_CLASSES = {
    'CLIPTextModel': (CLIPTextModel, CLIPTextConfig),
    'CLIPTextModelWithProjection': (CLIPTextModelWithProjection, CLIPTextConfig),
    'CLIPVisionModelWithProjection': (CLIPVisionModelWithProjection, CLIPVisionConfig),
}


@dataclass
class Model:
    """The components that a folder has, in float32 or float64, without gradients on their weights."""

    tokenizer: CLIPTokenizer | None = None
    text_encoder: CLIPTextModel | None = None
    text_encoder_2: CLIPTextModelWithProjection | None = None
    image_encoder: CLIPVisionModelWithProjection | None = None
    head: nn.Sequential | None = None
    unet: UNet2DConditionModel | None = None
    vae: AutoencoderKL | None = None
    scheduler: DDIMScheduler | None = None


def jolt(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """Random weights that keep activations near unit size, none at the 0 or 1 where a wrong reading would not show."""
    for name, parameter in sorted(module.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim >= 2:
            fan_in = parameter[0].numel()
            value = 0.8 / fan_in**0.5 * noise
        elif name.endswith('weight'):
            value = 1 + 0.1 * noise
        else:
            value = 0.1 * noise
        parameter.data.copy_(value)
    return module


def aesthetic_head(widths: tuple[int, ...]) -> nn.Sequential:
    """Linear layers with dropout between them and no activation: the layout of the LAION aesthetic predictor."""
    layers: list[nn.Module] = []
    for wide, narrow in zip(widths, widths[1:]):
        layers += [nn.Linear(wide, narrow), nn.Dropout(0.1)]
    return nn.Sequential(*layers[:-1])


def build(micro: Micro) -> dict[str, nn.Module]:
    """The components of a configuration by folder name, each with its own stream of random weights."""
    components: dict[str, nn.Module] = {}
    if micro.text_encoder:
        components['text_encoder'] = CLIPTextModel(CLIPTextConfig(**micro.text_encoder))
    if micro.text_encoder_2:
        components['text_encoder_2'] = CLIPTextModelWithProjection(CLIPTextConfig(**micro.text_encoder_2))
    if micro.image_encoder:
        components['image_encoder'] = CLIPVisionModelWithProjection(CLIPVisionConfig(**micro.image_encoder))
    if micro.head_widths:
        components['head'] = aesthetic_head(micro.head_widths)
    if micro.unet:
        components['unet'] = UNet2DConditionModel(**micro.unet)
    if micro.vae:
        components['vae'] = AutoencoderKL(**micro.vae)
    for index, component in enumerate(components.values()):
        jolt(component, torch.Generator().manual_seed(micro.seed * 10 + index))
    return components


def save(micro: Micro, components: dict[str, nn.Module], folder: Path) -> None:
    """Writes `folder` anew, with nothing in it but the model."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, component in components.items():
        save_component(component, folder / name, micro.storage.get(name, Storage()))
    if micro.scheduler:
        DDIMScheduler(**micro.scheduler).save_pretrained(folder / 'scheduler')
    for name in ('tokenizer', 'tokenizer_2'):
        if name.replace('tokenizer', 'text_encoder') in components:
            save_tokenizer(micro, folder / name)
    if micro.pipeline:
        write_json(folder / 'model_index.json', model_index(micro, components))


def save_component(component: nn.Module, folder: Path, storage: Storage) -> None:
    folder.mkdir()
    stem = 'model'
    if hasattr(component, 'save_config'):
        component.save_config(folder)
        stem = 'diffusion_pytorch_model'
    elif hasattr(component, 'config'):
        component.config.architectures = [type(component).__name__]
        component.config.dtype = storage.dtype
        component.config.save_pretrained(folder)
    dtype = getattr(torch, storage.dtype)
    state = {name: tensor.to(dtype).contiguous() for name, tensor in stored_names(component, storage).items()}
    save_weights(state, folder, stem, storage.shard_bytes)


def stored_names(component: nn.Module, storage: Storage) -> dict[str, Tensor]:
    """The state dict under the names that released files use, which depend on no version of transformers."""
    state = component.state_dict()
    if isinstance(component, (CLIPTextModel, CLIPTextModelWithProjection)):
        state = {name.removeprefix('text_model.'): tensor for name, tensor in state.items()}
        prefix = 'text_model.' if storage.text_prefix else ''
        return {name if name.startswith('text_projection') else prefix + name: tensor for name, tensor in state.items()}
    if isinstance(component, CLIPVisionModelWithProjection):
        state = {name.removeprefix('vision_model.'): tensor for name, tensor in state.items()}
        return {name if name.startswith('visual_projection') else f'vision_model.{name}': tensor for name, tensor in state.items()}
    if isinstance(component, nn.Sequential):
        return {f'layers.{name}': tensor for name, tensor in state.items()}
    return state


def save_weights(state: dict[str, Tensor], folder: Path, stem: str, shard_bytes: int | None) -> None:
    """One file, or shards with the index that maps each tensor to its file."""
    if shard_bytes is None:
        save_file(state, folder / f'{stem}.safetensors', {'format': 'pt'})
        return
    split = split_torch_state_dict_into_shards(state, max_shard_size=shard_bytes, filename_pattern=stem + '{suffix}.safetensors')
    for file, names in split.filename_to_tensors.items():
        save_file({name: state[name] for name in names}, folder / file, {'format': 'pt'})
    write_json(folder / f'{stem}.safetensors.index.json', {'metadata': split.metadata, 'weight_map': split.tensor_to_filename})


def save_tokenizer(micro: Micro, folder: Path) -> None:
    shutil.copytree(TOKENIZER, folder)
    file = folder / 'tokenizer_config.json'
    write_json(file, json.loads(file.read_text()) | micro.tokenizer)


def model_index(micro: Micro, components: dict[str, nn.Module]) -> dict:
    index = {'_class_name': micro.pipeline, '_diffusers_version': '0.40.0'}
    for name, component in components.items():
        library = 'diffusers' if hasattr(component, 'save_config') else 'transformers'
        index[name] = [library, type(component).__name__]
        if name.startswith('text_encoder'):
            index[name.replace('text_encoder', 'tokenizer')] = ['transformers', 'CLIPTokenizer']
    index['scheduler'] = ['diffusers', 'DDIMScheduler']
    if micro.pipeline == 'StableDiffusionPipeline':
        index |= {'safety_checker': [None, None], 'feature_extractor': [None, None], 'requires_safety_checker': False}
    return index


def write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, indent=2) + '\n')


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Model:
    """Every component found in the folder, widened to `dtype`.

    The weights pass through the stored precision, so references made from a loaded model hold for the file as it lies.
    """
    model = Model()
    if (folder / 'tokenizer').exists():
        model.tokenizer = CLIPTokenizer.from_pretrained(folder / 'tokenizer')
    for name in ('text_encoder', 'text_encoder_2', 'image_encoder'):
        if (folder / name).exists():
            setattr(model, name, load_clip(folder / name).to(dtype))
    if (folder / 'head').exists():
        model.head = load_head(folder / 'head').to(dtype)
    if (folder / 'unet').exists():
        model.unet = UNet2DConditionModel.from_pretrained(folder / 'unet', torch_dtype=dtype)
    if (folder / 'vae').exists():
        model.vae = AutoencoderKL.from_pretrained(folder / 'vae', torch_dtype=dtype)
    if (folder / 'scheduler').exists():
        model.scheduler = DDIMScheduler.from_pretrained(folder / 'scheduler')
    for component in vars(model).values():
        if isinstance(component, nn.Module):
            component.eval().requires_grad_(False)
    return model


def load_clip(folder: Path) -> nn.Module:
    """A CLIP tower from weights with or without the `text_model.` or `vision_model.` prefix, whatever transformers calls them."""
    architecture = json.loads((folder / 'config.json').read_text())['architectures'][0]
    model_class, config_class = CLIP_CLASSES[architecture]
    model = model_class(config_class.from_pretrained(folder))
    stored = {bare_name(name): tensor.float() for name, tensor in load_file(folder / 'model.safetensors').items()}
    model.load_state_dict({name: stored[bare_name(name)] for name in model.state_dict() if bare_name(name) in stored}, strict=False)
    missing = [name for name, _ in model.named_parameters() if bare_name(name) not in stored]
    if missing:
        raise ValueError(f'{folder}: missing {missing}')
    return model


def bare_name(name: str) -> str:
    return name.removeprefix('text_model.').removeprefix('vision_model.')


def load_head(folder: Path) -> nn.Sequential:
    state = load_file(folder / 'model.safetensors')
    weights = [tensor for name, tensor in sorted(state.items()) if name.endswith('.weight')]
    head = aesthetic_head((weights[0].shape[1], *(weight.shape[0] for weight in weights)))
    head.load_state_dict({name.removeprefix('layers.'): tensor.float() for name, tensor in state.items()})
    return head
