"""The DDIM chain with guidance as an affine recursion, and rewards on its end.

A step is x' = k_x x + k_e e + σ z, where e is the guided network output and (k_x, k_e, σ) depend only on the schedule.
"""

from dataclasses import dataclass
from typing import Callable

import torch
from diffusers import DDIMScheduler
from torch import Tensor

Network = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(sample [B,4,H,W], timestep [B], condition [B,77,C]) → output [B,4,H,W]"""


def coefficients(scheduler: DDIMScheduler, timesteps: Tensor, eta: float) -> Tensor:
    """k_x, k_e and σ of every step, [T,3]; ᾱ' past the end is `final_alpha_cumprod`, and the last step is noise-free."""
    stride = scheduler.config.num_train_timesteps // len(timesteps)
    rows = []
    for index, timestep in enumerate(timesteps.tolist()):
        previous = timestep - stride
        alpha = scheduler.alphas_cumprod[timestep].double()
        alpha_previous = (scheduler.alphas_cumprod[previous] if previous >= 0 else scheduler.final_alpha_cumprod).double()
        variance = eta**2 * (1 - alpha_previous) / (1 - alpha) * (1 - alpha / alpha_previous)
        variance = variance * (index < len(timesteps) - 1)
        direction = (1 - alpha_previous - variance).sqrt()
        if scheduler.config.prediction_type == 'v_prediction':
            k_x = (alpha_previous * alpha).sqrt() + direction * (1 - alpha).sqrt()
            k_e = -(alpha_previous * (1 - alpha)).sqrt() + direction * alpha.sqrt()
        else:
            k_x = (alpha_previous / alpha).sqrt()
            k_e = direction - (alpha_previous * (1 - alpha) / alpha).sqrt()
        rows.append(torch.stack((k_x, k_e, variance.sqrt())))
    return torch.stack(rows)


@dataclass(frozen=True)
class Chain:
    """Everything that the recursion needs, position i being the i-th sampling step."""

    network: Network
    timesteps: Tensor
    coef: Tensor
    noise: Tensor
    condition: Tensor
    unconditional: Tensor
    guidance_scale: float

    def mean(self, position: int, latent: Tensor) -> Tensor:
        """k_x x + k_e e, with e = e(∅) + s (e(c) − e(∅))."""
        timestep = self.timesteps[position].expand(latent.shape[0])
        unconditional = self.network(latent, timestep, self.unconditional)
        conditional = self.network(latent, timestep, self.condition)
        guided = unconditional + self.guidance_scale * (conditional - unconditional)
        k_x, k_e, _ = self.coef[position]
        return k_x * latent + k_e * guided

    def step(self, position: int, latent: Tensor) -> Tensor:
        return self.mean(position, latent) + self.coef[position, 2] * self.noise[position]

    def run(self, latent: Tensor) -> list[Tensor]:
        """x_T and the latents after each step, T + 1 in all."""
        latents = [latent]
        for position in range(len(self.timesteps)):
            latents.append(self.step(position, latents[-1]))
        return latents


def check_against_diffusers(chain: Chain, scheduler: DDIMScheduler, latent: Tensor, output: Tensor, eta: float) -> float:
    """Largest relative difference between our affine step and `DDIMScheduler.step` over the chain's positions."""
    scheduler.set_timesteps(len(chain.timesteps))
    if not torch.equal(scheduler.timesteps, chain.timesteps):
        raise ValueError('the stored timesteps are not those of the scheduler')
    worst = 0.0
    for position, timestep in enumerate(chain.timesteps):
        last = position == len(chain.timesteps) - 1
        theirs = scheduler.step(
            output, timestep, latent, eta=0.0 if last else eta, variance_noise=None if last else chain.noise[position],
        ).prev_sample
        k_x, k_e, sigma = chain.coef[position]
        ours = k_x * latent + k_e * output + sigma * chain.noise[position]
        worst = max(worst, float((ours - theirs).norm() / theirs.norm()))
    return worst
