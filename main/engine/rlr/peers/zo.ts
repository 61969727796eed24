import type { Algorithm } from '../algorithm.ts'
import { mean } from '../batch-arithmetic.ts'
import { counted } from '../counted-denoiser.ts'
import { rollOut } from '../rollout.ts'
import { oneStep } from '../stateless.ts'
import { StepAccounts } from '../step-accounts.ts'
import type { GradientEstimate, UpdateContext } from '../update-context.ts'
import { zerothOrder, type ZerothOrderSettings } from '../zeroth-order.ts'

/** Zeroth order on every step: forward passes only. */
export function zo(settings: ZerothOrderSettings): Algorithm {
  return oneStep({
    name: 'zo',
    biased: undefined,
    assertPossible: () => undefined,
    estimate: (context) => estimate(settings, context),
  })
}

async function estimate(settings: ZerothOrderSettings, context: UpdateContext): Promise<GradientEstimate> {
  const { coefficients, noise, theta, reward, random, update } = context
  const { denoiser, cost } = counted(context.denoiser)
  const steps = coefficients.length
  const judge = async (thetaAt: (position: number) => Float32Array): Promise<Float64Array> =>
    reward.value((await rollOut(denoiser, coefficients, noise, thetaAt)).x0)
  const rewards = await judge(() => theta)
  const gradient = await zerothOrder(
    settings,
    new Set(coefficients.keys()),
    theta,
    (pair, position) => random.normal('direction', [update, pair * steps + position], [theta.length]).data,
    async (thetaAt) => mean(await judge(thetaAt)),
    mean(rewards),
  )
  const accounts = new StepAccounts(steps)
  accounts.add([...coefficients.keys()], 'zeroth-order')
  return { gradient, rewards, steps: accounts.list(), cost }
}
