import type { Algorithm, Apply, UpdateSummary } from '../algorithm.ts'
import { normalisedAdvantages } from '../baseline.ts'
import { addTo, norm } from '../batch-arithmetic.ts'
import { clippedRatio } from '../clipped-ratio.ts'
import { counted } from '../counted-denoiser.ts'
import { requireNoise, stateless } from '../stateless.ts'
import { StepAccounts } from '../step-accounts.ts'
import type { UpdateContext } from '../update-context.ts'
import { takenSteps } from '../taken-steps.ts'

export interface DdpoSettings {
  /** How far the ratio of a step's likelihoods may leave 1 and still count; the published value is 1e-4. */
  readonly clip: number
  /** Optimizer steps per update, each over all noisy steps of the same rollouts. The first one sees ratios of 1. */
  readonly innerEpochs: number
}

/** DDPO (Black et al. 2023): policy gradient on every noisy step, with PPO's clipping and advantages normalised per prompt. */
export function ddpo(settings: DdpoSettings): Algorithm {
  return stateless({
    name: 'ddpo',
    biased: 'Advantages are divided by their spread, ratios are clipped, and the last step, which adds no noise, is left out.',
    assertPossible: (chain) => requireNoise('ddpo', chain),
    update: (context, apply) => update(settings, context, apply),
  })
}

async function update({ clip, innerEpochs }: DdpoSettings, context: UpdateContext, apply: Apply): Promise<UpdateSummary> {
  const { coefficients, groups, reward } = context
  const { denoiser, cost } = counted(context.denoiser)
  const noisy = [...coefficients.keys()].slice(0, -1)
  const { x0, steps } = await takenSteps({ ...context, denoiser }, noisy)
  const rewards = await reward.value(x0)
  const advantages = normalisedAdvantages(rewards, groups).map((advantage) => advantage / groups.length)
  const accounts = new StepAccounts(coefficients.length)
  let theta = context.theta
  for (let epoch = 0; epoch < innerEpochs; epoch++) {
    const sum = new Float32Array(theta.length)
    for (const step of steps) {
      const { gradient } = await clippedRatio(denoiser, step, theta, advantages, clip)
      addTo(sum, gradient)
      accounts.add([step.position], 'half-order', [norm(gradient)])
    }
    theta = await apply(sum)
  }
  return { rewards, steps: accounts.list(), cost }
}
