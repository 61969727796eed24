"""The groups of tensors of a cases file: how their inputs are drawn and how their outputs are computed.

A group's `outputs` reads only the inputs (and earlier groups' outputs) from the cases, so the same code makes a file and
verifies one that somebody else made.
"""

import re
from dataclasses import dataclass
from typing import Callable

import torch
from peft import LoraConfig
from torch import Tensor

from configurations import Micro
from micro_model import Model
from sampling import Chain, check_against_diffusers, coefficients

Cases = dict[str, Tensor]


@dataclass(frozen=True)
class Group:
    """`applies` looks for the group's inputs in a file; `inputs` draws them for a new one."""

    name: str
    key: str
    inputs: Callable[[Micro, Model, Cases, torch.Generator], Cases]
    outputs: Callable[[Model, Cases], Cases]

    def applies(self, cases: Cases) -> bool:
        return self.key in cases


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator)


def vjp(output: Tensor, upstream: Tensor, wrt: dict[str, Tensor], retain_graph: bool = False) -> Cases:
    """Gradients of ⟨upstream, output⟩ by name."""
    return dict(zip(wrt, torch.autograd.grad(output, list(wrt.values()), upstream, retain_graph=retain_graph)))


def leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().clone().requires_grad_()


# Text encoder


def tokenize(model: Model, prompts: tuple[str, ...]) -> Tensor:
    return model.tokenizer(prompts, padding='max_length', max_length=77, truncation=True, return_tensors='pt').input_ids


def text_inputs(micro: Micro, model: Model, cases: Cases, generator: torch.Generator) -> Cases:
    return {'text.input_ids': tokenize(model, micro.prompts)}


def text_outputs(model: Model, cases: Cases) -> Cases:
    ids = cases['text.input_ids']
    output = model.text_encoder(ids, output_hidden_states=True)
    empty = model.text_encoder(tokenize(model, ('',) * len(ids)))
    return {
        'text.last_hidden_state': output.last_hidden_state,
        'text.pooled': output.pooler_output,
        'text.penultimate': output.hidden_states[-2],
        'text.uncond': empty.last_hidden_state,
    }


# UNet


def unet_inputs(micro: Micro, model: Model, cases: Cases, generator: torch.Generator) -> Cases:
    batch, (height, width) = len(micro.prompts), micro.latent
    inputs = {
        'unet.sample': normal(generator, batch, 4, height, width),
        'unet.timestep': torch.tensor([981, 41, 500, 1][:batch]),
        'unet.encoder_hidden_states': cases['text.last_hidden_state'].clone(),
        'unet.grad_output': normal(generator, batch, 4, height, width),
    }
    if model.text_encoder_2 is not None:
        # As in the SDXL pipeline: the second encoder's projected pooled state, and (original, crop, target) sizes.
        inputs['unet.text_embeds'] = model.text_encoder_2(cases['text.input_ids']).text_embeds
        sizes = [[1024.0, 768.0, 0.0, 16.0, 8.0 * height, 8.0 * width], [512.0, 640.0, 32.0, 0.0, 8.0 * height, 8.0 * width]]
        inputs['unet.time_ids'] = torch.tensor(sizes[:batch])
    return inputs


def unet_call(model: Model, cases: Cases, sample: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
    added = {name: cases[f'unet.{name}'] for name in ('text_embeds', 'time_ids') if f'unet.{name}' in cases}
    return model.unet(sample, timestep, condition, added_cond_kwargs=added or None).sample


def unet_outputs(model: Model, cases: Cases) -> Cases:
    if lora_names(cases) and getattr(model.unet, 'peft_config', None):
        model.unet.disable_adapters()
    sample, condition = leaf(cases['unet.sample']), leaf(cases['unet.encoder_hidden_states'])
    output = unet_call(model, cases, sample, cases['unet.timestep'], condition)
    wrt = {'unet.grad_sample': sample, 'unet.grad_encoder_hidden_states': condition}
    return {'unet.output': output, **vjp(output, cases['unet.grad_output'], wrt)}


# UNet with adapter


def lora_names(cases: Cases) -> list[str]:
    """Names of the adapter's tensors without the leading `lora.`: `<module path>.lora_A.weight` …"""
    return sorted(name.removeprefix('lora.') for name in cases if name.startswith('lora.') and name.endswith('.weight'))


def lora_inputs(micro: Micro, model: Model, cases: Cases, generator: torch.Generator) -> Cases:
    """A and B of every matched module, both away from zero; convolutions keep their kernel in A, and B is 1×1."""
    rank = micro.adapter.rank
    inputs = {'lora.alpha': torch.tensor(micro.adapter.alpha), 'lora.rank': torch.tensor(rank)}
    for path, module in model.unet.named_modules():
        if not any(re.search(pattern, path) for pattern in micro.adapter.patterns):
            continue
        outer, inner, *kernel = module.weight.shape
        fan_in = module.weight[0].numel()
        inputs[f'lora.{path}.lora_A.weight'] = 0.3 / fan_in**0.5 * normal(generator, rank, inner, *kernel)
        inputs[f'lora.{path}.lora_B.weight'] = 0.3 / rank**0.5 * normal(generator, outer, rank, *(1 for _ in kernel))
    return inputs


def adapter_parameters(model: Model, cases: Cases) -> dict[str, Tensor]:
    """Puts the cases' adapter into the UNet with peft, once, switches it on and returns its parameters by stored name."""
    names = lora_names(cases)
    if not getattr(model.unet, 'peft_config', None):
        modules = [name.removesuffix('.lora_A.weight') for name in names if name.endswith('.lora_A.weight')]
        rank, alpha = int(cases['lora.rank']), float(cases['lora.alpha'])
        model.unet.add_adapter(LoraConfig(r=rank, lora_alpha=alpha, target_modules=modules, init_lora_weights=False))
    model.unet.enable_adapters()
    parameters = {name.replace('.default.', '.'): value for name, value in model.unet.named_parameters() if '.lora_' in name}
    if sorted(parameters) != names:
        raise ValueError(f'peft placed other modules than the cases name: {set(parameters) ^ set(names)}')
    for name, parameter in parameters.items():
        parameter.data = cases[f'lora.{name}'].clone()
        parameter.requires_grad_()
    return parameters


def unet_lora_outputs(model: Model, cases: Cases) -> Cases:
    parameters = adapter_parameters(model, cases)
    sample = leaf(cases['unet.sample'])
    output = unet_call(model, cases, sample, cases['unet.timestep'], cases['unet.encoder_hidden_states'])
    wrt = {'unet_lora.grad_sample': sample, **{f'unet_lora.grad.{name}': value for name, value in parameters.items()}}
    return {'unet_lora.output': output, **vjp(output, cases['unet.grad_output'], wrt)}


# VAE


def vae_inputs(micro: Micro, model: Model, cases: Cases, generator: torch.Generator) -> Cases:
    batch, (height, width) = len(micro.prompts), micro.latent
    pixels = (batch, 3, 8 * height, 8 * width)
    return {
        'vae.decode.latents': normal(generator, batch, 4, height, width),
        'vae.decode.grad_output': normal(generator, *pixels),
        'vae.encode.pixels': 2 * torch.rand(pixels, generator=generator) - 1,
    }


def vae_outputs(model: Model, cases: Cases) -> Cases:
    latents = leaf(cases['vae.decode.latents'])
    image = model.vae.decode(latents).sample
    # `parameters` holds the log-variance before its clamp to [−30, 20].
    mean, logvar = model.vae.encode(cases['vae.encode.pixels']).latent_dist.parameters.chunk(2, dim=1)
    return {
        'vae.decode.output': image,
        **vjp(image, cases['vae.decode.grad_output'], {'vae.decode.grad_latents': latents}),
        'vae.encode.mean': mean,
        'vae.encode.logvar': logvar,
    }


# Sampling chain, reward, and gradients of the reward


def ddim_inputs(micro: Micro, model: Model, cases: Cases, generator: torch.Generator) -> Cases:
    steps, batch, (height, width) = micro.sampling.steps, len(micro.prompts), micro.latent
    model.scheduler.set_timesteps(steps)
    return {
        'ddim.timesteps': model.scheduler.timesteps.clone(),
        'ddim.noise': normal(generator, steps, batch, 4, height, width),
        'ddim.latents': normal(generator, 1, batch, 4, height, width),
        'ddim.guidance_scale': torch.tensor(micro.sampling.guidance_scale),
        'ddim.eta': torch.tensor(micro.sampling.eta),
    }


def chain_of(model: Model, cases: Cases) -> Chain:
    coef = coefficients(model.scheduler, cases['ddim.timesteps'], float(cases['ddim.eta']))
    return Chain(
        network=lambda sample, timestep, condition: unet_call(model, cases, sample, timestep, condition),
        timesteps=cases['ddim.timesteps'], coef=coef.to(cases['ddim.noise'].dtype), noise=cases['ddim.noise'],
        condition=cases['text.last_hidden_state'], unconditional=cases['text.uncond'],
        guidance_scale=float(cases['ddim.guidance_scale']),
    )


def ddim_outputs(model: Model, cases: Cases) -> Cases:
    adapter_parameters(model, cases)
    chain = chain_of(model, cases)
    start = cases['ddim.latents'][0]
    error = check_against_diffusers(chain, model.scheduler, start, cases['ddim.noise'][0], float(cases['ddim.eta']))
    if error > 1e-5:
        raise ValueError(f'our DDIM step differs from that of diffusers by {error}')
    with torch.no_grad():
        return {'ddim.latents': torch.stack(chain.run(start)), 'ddim.coef': chain.coef}


def reward_inputs(micro: Micro, model: Model, cases: Cases, generator: torch.Generator) -> Cases:
    height, width = micro.latent
    return {'reward.mask': normal(generator, 1, 3, 8 * height, 8 * width)}


def reward(model: Model, cases: Cases, latent: Tensor) -> Tensor:
    """R = Σ tanh(m · decode(x_0 / scaling_factor)) / 64 over channels and pixels, [B]."""
    image = model.vae.decode(latent / model.vae.config.scaling_factor).sample
    return torch.tanh(cases['reward.mask'] * image).sum(dim=(1, 2, 3)) / 64


def reward_outputs(model: Model, cases: Cases) -> Cases:
    return {'reward.value': reward(model, cases, cases['ddim.latents'][-1])}


def rlr_inputs(micro: Micro, model: Model, cases: Cases, generator: torch.Generator) -> Cases:
    value = cases['reward.value']
    return {'rlr.window': torch.tensor(micro.sampling.window), 'rlr.advantage': value - value.mean()}


def rlr_outputs(model: Model, cases: Cases) -> Cases:
    parameters = adapter_parameters(model, cases)
    chain = chain_of(model, cases)
    objectives = {'first_order': first_order, 'half_order': half_order, 'full_backprop': full_backprop}
    outputs: Cases = {}
    for name, objective in objectives.items():
        value = objective(model, cases, chain)
        outputs |= vjp(value, torch.ones_like(value), {f'rlr.{name}.{key}': parameter for key, parameter in parameters.items()})
    return outputs


def first_order(model: Model, cases: Cases, chain: Chain) -> Tensor:
    """Σ_b R_b as a function of the last step alone, from its stored latent."""
    last = len(chain.timesteps) - 1
    return reward(model, cases, chain.step(last, cases['ddim.latents'][last])).sum()


def half_order(model: Model, cases: Cases, chain: Chain) -> Tensor:
    """Σ_b advantage_b ⟨z_b/σ, mean of the window's end⟩, from the latent stored at the window's start."""
    start, length = cases['rlr.window'].tolist()
    end = start + length - 1
    latent = cases['ddim.latents'][start]
    for position in range(start, end):
        latent = chain.step(position, latent)
    score = chain.noise[end] / chain.coef[end, 2]
    return (cases['rlr.advantage'] * (score * chain.mean(end, latent)).sum(dim=(1, 2, 3))).sum()


def full_backprop(model: Model, cases: Cases, chain: Chain) -> Tensor:
    """Σ_b R_b as a function of all steps, from x_T and the stored noises."""
    return reward(model, cases, chain.run(cases['ddim.latents'][0])[-1]).sum()


# CLIP vision tower and a head on it


def vision_inputs(micro: Micro, model: Model, cases: Cases, generator: torch.Generator) -> Cases:
    size, width = micro.image_encoder['image_size'], micro.image_encoder['projection_dim']
    return {
        'vision.pixels': normal(generator, 2, 3, size, size),
        'vision.grad_image_embeds': normal(generator, 2, width),
        'head.grad_score': normal(generator, 2),
    }


def vision_outputs(model: Model, cases: Cases) -> Cases:
    pixels = leaf(cases['vision.pixels'])
    tower = model.image_encoder.vision_model(pixels)
    embeds = model.image_encoder.visual_projection(tower.pooler_output)
    # The aesthetic predictor scores the embedding's direction: head(e / ‖e‖).
    score = model.head(embeds / embeds.norm(dim=-1, keepdim=True)).squeeze(-1)
    return {
        'vision.last_hidden_state': tower.last_hidden_state,
        'vision.pooled': tower.pooler_output,
        'vision.image_embeds': embeds,
        **vjp(embeds, cases['vision.grad_image_embeds'], {'vision.grad_pixels': pixels}, retain_graph=True),
        'head.score': score,
        **vjp(score, cases['head.grad_score'], {'head.grad_pixels': pixels}),
    }


GROUPS = (
    Group('text', 'text.input_ids', text_inputs, text_outputs),
    Group('unet', 'unet.sample', unet_inputs, unet_outputs),
    Group('unet_lora', 'lora.rank', lora_inputs, unet_lora_outputs),
    Group('vae', 'vae.decode.latents', vae_inputs, vae_outputs),
    Group('ddim', 'ddim.timesteps', ddim_inputs, ddim_outputs),
    Group('reward', 'reward.mask', reward_inputs, reward_outputs),
    Group('rlr', 'rlr.window', rlr_inputs, rlr_outputs),
    Group('vision', 'vision.pixels', vision_inputs, vision_outputs),
)


def groups_of(micro: Micro) -> list[Group]:
    """The groups whose components and settings the configuration has."""
    present = {
        'text': micro.text_encoder, 'unet': micro.unet, 'unet_lora': micro.adapter, 'vae': micro.vae,
        'ddim': micro.sampling, 'reward': micro.sampling, 'rlr': micro.sampling, 'vision': micro.image_encoder,
    }
    return [group for group in GROUPS if present[group.name]]
