import type { Algorithm, Apply, UpdateSummary } from '../algorithm.ts'
import { normalisedAdvantages } from '../baseline.ts'
import { norm } from '../batch-arithmetic.ts'
import { clippedRatio } from '../clipped-ratio.ts'
import { counted } from '../counted-denoiser.ts'
import type { Parameters } from '../denoiser.ts'
import { firstOrder } from '../first-order.ts'
import { requireDifferentiable, requireNoise, stateless } from '../stateless.ts'
import { StepAccounts } from '../step-accounts.ts'
import { takenSteps } from '../taken-steps.ts'
import type { UpdateContext } from '../update-context.ts'

export interface PublicCodeSettings {
  /** Factor of the first-order gradient; published as 0.05. */
  readonly firstOrderWeight: number
  /** Factor of each half-order gradient; published as 0.001. */
  readonly halfOrderWeight: number
  /** Random steps per update, drawn independently. */
  readonly chainLength: number
  /** Bound of the likelihood ratio, as in ddpo. */
  readonly clip: number
}

/**
 * What the code published with the paper does (RTkenny/RLR-Optimizer): an optimizer step by the first-order term of the last step,
 * then one by the clipped likelihood ratio of each of `chainLength` random steps. No sub-chain, no zeroth-order term.
 */
export function publicCode(settings: PublicCodeSettings): Algorithm {
  return stateless({
    name: 'public-code',
    biased: 'Its terms have weights other than 1, its advantages and ratios are normalised and clipped, and most steps are left out.',
    assertPossible: (chain) => {
      requireDifferentiable('public-code', chain)
      requireNoise('public-code', chain)
    },
    update: (context, apply) => update(settings, context, apply),
  })
}

async function update(settings: PublicCodeSettings, context: UpdateContext, apply: Apply): Promise<UpdateSummary> {
  const { coefficients, groups, reward, random, update: index } = context
  const { denoiser, cost } = counted(context.denoiser)
  const last = coefficients.length - 1
  const drawn = random.uniform('window', [index], settings.chainLength).map((point) => Math.floor(point * last))
  const { x0, steps, latents } = await takenSteps({ ...context, denoiser }, drawn)
  const accounts = new StepAccounts(coefficients.length)

  if (reward.gradient === undefined) throw new TypeError('the reward has no gradient')
  const { values: rewards, dx0 } = await reward.gradient(x0, new Float64Array(groups.length).fill(1 / groups.length))
  const late = await firstOrder(denoiser, coefficients, latents, 1, context.theta, dx0)
  accounts.add([last], 'first-order', late.normPerStep)
  let theta = await apply(weighted(settings.firstOrderWeight, late.gradient))

  const advantages = normalisedAdvantages(rewards, groups).map((advantage) => advantage / groups.length)
  for (const step of steps) {
    const { gradient } = await clippedRatio(denoiser, step, theta, advantages, settings.clip)
    accounts.add([step.position], 'half-order', [norm(gradient)])
    theta = await apply(weighted(settings.halfOrderWeight, gradient))
  }
  return { rewards, steps: accounts.list(), cost }
}

function weighted(weight: number, gradient: Parameters): Parameters {
  return gradient.map((value) => weight * value)
}
