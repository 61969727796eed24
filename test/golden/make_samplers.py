"""Reference values for samplers and pictures, by diffusers.

    python make_samplers.py

writes `samplers/timesteps.json` (the timesteps of each scheduler), `samplers/chains.json` (chains of a plain function in place of
a network), `samplers/<model>.safetensors` (pictures of the micro models from given latents and noise) and `samplers/sdxl-unet`
(a UNet that reads both text encoders of sdxl-micro, as real ones do and the micro model's own does not).
"""

import json
import math
from pathlib import Path

import torch
from diffusers import (
    DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler,
    StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel,
)
from safetensors.torch import save_file
from torch import Tensor

from micro_model import jolt

HERE = Path(__file__).parent
OUT = HERE / 'samplers'
SPACINGS = ('leading', 'trailing', 'linspace')


def settings(spacing: str, prediction: str = 'epsilon', **changes) -> dict:
    return {
        'num_train_timesteps': 1000, 'beta_start': 0.00085, 'beta_end': 0.012, 'beta_schedule': 'scaled_linear',
        'timestep_spacing': spacing, 'steps_offset': 1, 'prediction_type': prediction, **changes,
    }


def ddim(spacing: str, prediction: str = 'epsilon', **changes) -> DDIMScheduler:
    return DDIMScheduler(**settings(spacing, prediction, clip_sample=False, set_alpha_to_one=False, **changes))


def solver(spacing: str, prediction: str = 'epsilon', **changes) -> DPMSolverMultistepScheduler:
    return DPMSolverMultistepScheduler(**settings(spacing, prediction, algorithm_type='dpmsolver++', solver_order=2, **changes))


def euler(spacing: str, prediction: str = 'epsilon', **changes) -> EulerDiscreteScheduler:
    return EulerDiscreteScheduler(**settings(spacing, prediction, **changes))


def ancestral(spacing: str, prediction: str = 'epsilon', **changes) -> EulerAncestralDiscreteScheduler:
    return EulerAncestralDiscreteScheduler(**settings(spacing, prediction, **changes))


def timesteps() -> list[dict]:
    cases = []
    for name, make in (('ddim', ddim), ('dpmpp', solver), ('euler', euler)):
        for spacing in SPACINGS:
            for steps in (1, 2, 7, 16, 30, 50):
                scheduler = make(spacing)
                scheduler.set_timesteps(steps)
                cases.append({'sampler': name, 'spacing': spacing, 'steps': steps, 'timesteps': scheduler.timesteps.tolist()})
    return cases


def network(x: Tensor, timestep: float) -> Tensor:
    """A plain function of the variance-preserving latent in place of a network."""
    return 0.8 * torch.cos(2 * x) + timestep / 1000 * x


def chain(sampler: str, spacing: str, prediction: str, steps: int, eta: float, zero_snr: bool = False) -> dict:
    changes = {'rescale_betas_zero_snr': True} if zero_snr else {}
    make = {'ddim': ddim, 'dpmpp': solver, 'euler': ancestral if eta > 0 else euler}[sampler]
    scheduler = make(spacing, prediction, **changes)
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(5)
    start = torch.randn(1, 1, 2, 3, dtype=torch.float64, generator=generator)
    noise = torch.randn(steps, 1, 1, 2, 3, dtype=torch.float64, generator=generator)
    exploding = sampler == 'euler'
    x = start * scheduler.init_noise_sigma
    latents = []
    for i, timestep in enumerate(scheduler.timesteps):
        e = network(scheduler.scale_model_input(x, timestep) if exploding else x, float(timestep))
        if sampler == 'ddim':
            last = i == steps - 1
            x = scheduler.step(e, timestep, x, eta=0.0 if last else eta, variance_noise=None if last else noise[i]).prev_sample
        elif eta > 0:
            x = ancestral_step(scheduler, e, timestep, x, noise[i])
        else:
            x = scheduler.step(e, timestep, x).prev_sample
        level = float(scheduler.sigmas[i + 1]) if exploding else 0.0
        latents.append((x / math.sqrt(level**2 + 1)).flatten().tolist())
    return {
        'sampler': sampler, 'spacing': spacing, 'prediction': prediction, 'steps': steps, 'eta': eta, 'zeroSnr': zero_snr,
        'start': start.flatten().tolist(), 'noise': noise.flatten(1).tolist(), 'latents': latents,
    }


def ancestral_step(scheduler: EulerAncestralDiscreteScheduler, e: Tensor, timestep: Tensor, x: Tensor, noise: Tensor) -> Tensor:
    """A step with the given noise in place of the one that the scheduler would draw."""
    from diffusers.schedulers import scheduling_euler_ancestral_discrete as module
    drawn = module.randn_tensor
    module.randn_tensor = lambda *_, **__: noise
    try:
        return scheduler.step(e, timestep, x).prev_sample
    finally:
        module.randn_tensor = drawn


def chains() -> list[dict]:
    cases = []
    for prediction in ('epsilon', 'v_prediction'):
        for spacing in SPACINGS:
            cases.append(chain('dpmpp', spacing, prediction, 8, 0.0))
            cases.append(chain('euler', spacing, prediction, 8, 0.0))
            cases.append(chain('euler', spacing, prediction, 8, 1.0))
        cases.append(chain('ddim', 'leading', prediction, 8, 0.0))
        cases.append(chain('ddim', 'leading', prediction, 8, 0.7))
    cases.append(chain('dpmpp', 'leading', 'epsilon', 20, 0.0))
    cases.append(chain('dpmpp', 'trailing', 'v_prediction', 8, 0.0, zero_snr=True))
    cases.append(chain('euler', 'trailing', 'v_prediction', 8, 0.0, zero_snr=True))
    return cases


PROMPTS = ['a lighthouse at dusk', 'two hands holding an orange']
NEGATIVE = 'blurry'
GUIDANCE = 5.0
STEPS = 6
ADAPTERS = {'sd15-micro': 'adapters/sd15-micro-peft.safetensors'}


def sdxl_unet() -> UNet2DConditionModel:
    config = UNet2DConditionModel.load_config(HERE / 'sdxl-micro', subfolder='unet')
    config |= {
        'block_out_channels': [16, 16], 'cross_attention_dim': 72, 'attention_head_dim': [2, 4], 'transformer_layers_per_block': [1, 2],
        'down_block_types': ['DownBlock2D', 'CrossAttnDownBlock2D'], 'up_block_types': ['CrossAttnUpBlock2D', 'UpBlock2D'],
    }
    unet = jolt(UNet2DConditionModel.from_config(config), torch.Generator().manual_seed(71))
    unet.half().save_pretrained(OUT / 'sdxl-unet')
    return unet.float()


@torch.no_grad()
def pictures(model: str, pipeline_class: type, **components) -> None:
    """`deterministic`: the pipeline as it is. `stochastic`: η = 1 with the stored noise. `adapted`: with an adapter at strength 0.8."""
    pipeline = pipeline_class.from_pretrained(HERE / model, **components)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(11)
    latents = torch.randn(2, 4, 8, 8, generator=generator)
    noise = torch.randn(STEPS, 2, 4, 8, 8, generator=generator)
    common = {
        'prompt': PROMPTS, 'negative_prompt': [NEGATIVE] * 2, 'guidance_scale': GUIDANCE, 'num_inference_steps': STEPS,
        'height': 64, 'width': 64, 'output_type': 'np',
    }
    outputs = {'latents': latents, 'noise': noise}

    def keep(name: str, images) -> None:
        outputs[name] = torch.from_numpy((images * 255).round().astype('uint8')).contiguous()

    keep('deterministic', pipeline(**common, latents=latents.clone()).images)
    without = {key: value for key, value in common.items() if key != 'negative_prompt'}
    keep('without_negative', pipeline(**without, latents=latents.clone()).images)
    keep('stochastic', with_noise(pipeline, noise, lambda: pipeline(**common, eta=1.0, latents=latents.clone()).images))
    if model in ADAPTERS:
        pipeline.load_lora_weights(str(HERE), weight_name=ADAPTERS[model], adapter_name='style')
        pipeline.set_adapters(['style'], adapter_weights=[0.8])
        keep('adapted', pipeline(**common, latents=latents.clone()).images)
    save_file(outputs, OUT / f'{model}.safetensors')


def with_noise(pipeline, noise: Tensor, run):
    """Runs with the given noises in place of drawn ones, and none at the last step."""
    scheduler = pipeline.scheduler
    step = type(scheduler).step
    position = 0

    def given(model_output, timestep, sample, eta=0.0, **_):
        nonlocal position
        last = position == STEPS - 1
        result = step(scheduler, model_output, timestep, sample, eta=0.0 if last else eta,
                      variance_noise=None if last else noise[position], return_dict=False)
        position += 1
        return result

    # The pipeline looks at the signature to see whether the scheduler takes eta.
    scheduler.step = given
    try:
        return run()
    finally:
        del scheduler.step


if __name__ == '__main__':
    OUT.mkdir(exist_ok=True)
    (OUT / 'timesteps.json').write_text(json.dumps(timesteps()) + '\n')
    (OUT / 'chains.json').write_text(json.dumps(chains()) + '\n')
    pictures('sd15-micro', StableDiffusionPipeline, safety_checker=None)
    pictures('sd21-micro', StableDiffusionPipeline, safety_checker=None)
    pictures('sdxl-micro', StableDiffusionXLPipeline, unet=sdxl_unet())
