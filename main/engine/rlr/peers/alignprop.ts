import { HalfstepError } from '../../errors.ts'
import type { Algorithm } from '../algorithm.ts'
import { counted } from '../counted-denoiser.ts'
import { firstOrder } from '../first-order.ts'
import { rollOut } from '../rollout.ts'
import { oneStep, requireDifferentiable } from '../stateless.ts'
import { StepAccounts } from '../step-accounts.ts'
import type { GradientEstimate, UpdateContext } from '../update-context.ts'

export interface AlignPropSettings {
  /** K: steps from the end to go back through. `random` draws it from 1 … T for each update. 1 is DRaFT-1. */
  readonly depth: number | 'random'
}

/** Truncated backpropagation (AlignProp, Prabhudesai et al. 2023): the pathwise gradient through the last K steps only. */
export function alignProp({ depth }: AlignPropSettings): Algorithm {
  return oneStep({
    name: 'alignprop',
    biased: 'The gradient stops after the last steps: what the earlier ones contribute is left out.',
    assertPossible: (chain) => {
      requireDifferentiable('alignprop', chain)
      const steps = chain.coefficients.length
      if (depth === 'random' || (depth >= 1 && depth <= steps)) return
      throw new HalfstepError(
        'recipe.impossible',
        `alignprop's depth of ${depth} is not one of the ${steps} steps of the chain.`,
        `Set depth to a number from 1 to ${steps}, or to random.`,
      )
    },
    estimate: (context) => truncatedBackpropagation(context, depth === 'random' ? drawDepth(context) : depth),
  })
}

function drawDepth({ random, update, coefficients }: UpdateContext): number {
  return 1 + random.choice('depth', [update], coefficients.map(() => 1 / coefficients.length))
}

/** The gradient of the mean reward through the last `depth` steps, for a reward that has one. */
export async function truncatedBackpropagation(context: UpdateContext, depth: number): Promise<GradientEstimate> {
  const { coefficients, reward, noise, groups, theta } = context
  const { denoiser, cost } = counted(context.denoiser)
  const steps = coefficients.length
  const late = Array.from({ length: depth }, (_, i) => steps - depth + i)
  const { x0, latents } = await rollOut(denoiser, coefficients, noise, () => theta, new Set(late))
  if (reward.gradient === undefined) throw new TypeError('the reward has no gradient')
  const { values, dx0 } = await reward.gradient(x0, new Float64Array(groups.length).fill(1 / groups.length))
  const { gradient, normPerStep } = await firstOrder(denoiser, coefficients, latents, depth, theta, dx0)
  const accounts = new StepAccounts(steps)
  accounts.add(late, 'first-order', normPerStep)
  return { gradient, rewards: values, steps: accounts.list(), cost }
}
