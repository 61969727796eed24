import type { Algorithm } from '../algorithm.ts'
import { leaveOneOut } from '../baseline.ts'
import { addTo } from '../batch-arithmetic.ts'
import { counted } from '../counted-denoiser.ts'
import { halfOrder } from '../half-order.ts'
import { rollOut } from '../rollout.ts'
import { oneStep, requireNoise } from '../stateless.ts'
import { StepAccounts } from '../step-accounts.ts'
import type { GradientEstimate, UpdateContext } from '../update-context.ts'

/** The score function (Williams 1992) on every noisy step: half order with windows of one step, all of them. */
export function reinforce(): Algorithm {
  return oneStep({
    name: 'reinforce',
    biased: 'The last step adds no noise and so has no score: what it contributes is left out.',
    assertPossible: (chain) => requireNoise('reinforce', chain),
    estimate,
  })
}

async function estimate(context: UpdateContext): Promise<GradientEstimate> {
  const { coefficients, noise, theta, groups, reward } = context
  const { denoiser, cost } = counted(context.denoiser)
  const noisy = [...coefficients.keys()].slice(0, -1)
  const { x0, latents } = await rollOut(denoiser, coefficients, noise, () => theta, new Set(noisy))
  const rewards = await reward.value(x0)
  const baselines = leaveOneOut(rewards, groups)
  const advantages = rewards.map((value, b) => (value - (baselines[b] ?? 0)) / groups.length)
  const gradient = new Float32Array(theta.length)
  const accounts = new StepAccounts(coefficients.length)
  for (const position of noisy) {
    const window = { first: position, last: position }
    const part = await halfOrder(denoiser, coefficients, latents, window, theta, noise.step(position), advantages)
    addTo(gradient, part.gradient)
    accounts.add([position], 'half-order', part.normPerStep)
  }
  return { gradient, rewards, steps: accounts.list(), cost }
}
