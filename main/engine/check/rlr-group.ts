import { firstOrder } from '../rlr/first-order.ts'
import { halfOrder } from '../rlr/half-order.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import { elementCount } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import type { CheckContext } from './check-context.ts'
import { maskedReward } from './masked-reward.ts'
import { CHAIN_TOLERANCE, compareOutput, type CheckLine } from './report.ts'
import { storedChain, type StoredChain } from './stored-chain.ts'

/**
 * rlr.*: the gradient by every matrix of the adapter, each from the stored latents and noise,
 * - `first_order`: of Σ_b R_b through the last step only
 * - `half_order`: of Σ_b advantage_b ⟨z_b/σ, mean of the window's end⟩ through the window
 * - `full_backprop`: of Σ_b R_b through all steps
 */
export async function checkRlr(context: CheckContext): Promise<CheckLine[]> {
  const { cases, settings } = context
  const asked = (group: string): boolean => cases.names(`rlr.${group}.`).some((name) => context.wants(name))
  const chain = await storedChain(context)
  const lines: CheckLine[] = []
  const compare = async (group: string, gradient: Parameters): Promise<void> => {
    let offset = 0
    for (const { name, shape } of chain.parameters) {
      const own = gradient.subarray(offset, (offset += elementCount(shape)))
      const output = `rlr.${group}.${name}`
      if (!cases.has(output) || !context.wants(output)) continue
      lines.push(compareOutput(output, float32(shape, own), await cases.floats(output), CHAIN_TOLERANCE[settings.compute]))
    }
  }
  if (asked('half_order')) await compare('half_order', await halfOrderGradient(context, chain))
  const depths = Object.entries({ first_order: 1, full_backprop: chain.coefficients.length }).filter(([group]) => asked(group))
  if (depths.length === 0) return lines
  const dx0 = await rewardGradient(context, chain)
  for (const [group, depth] of depths) {
    const { coefficients, denoiser } = chain
    const { gradient } = await firstOrder(denoiser, coefficients, storedLatents(chain), depth, noParameters(chain), dx0)
    await compare(group, gradient)
  }
  return lines
}

async function halfOrderGradient({ cases }: CheckContext, chain: StoredChain): Promise<Parameters> {
  const { coefficients, denoiser, noise } = chain
  const [first = 0, length = 1] = await cases.numbers('rlr.window')
  const window = { first, last: first + length - 1 }
  const advantages = await cases.numbers('rlr.advantage')
  const z = noise.step(window.last)
  const { gradient } = await halfOrder(denoiser, coefficients, storedLatents(chain), window, noParameters(chain), z, advantages)
  return gradient
}

/** Σ_b dR_b/dx_0 at the stored x_0. */
async function rewardGradient(context: CheckContext, { coefficients, latent }: StoredChain): Promise<FloatTensor> {
  const x0 = latent(coefficients.length)
  const reward = await maskedReward(context, x0.shape)
  try {
    return (await reward.gradient(x0, new Float64Array(x0.shape[0] ?? 1).fill(1))).dx0
  } finally {
    await reward.dispose()
  }
}

function storedLatents({ coefficients, latent }: StoredChain): Map<number, FloatTensor> {
  return new Map(coefficients.map((_, position) => [position, latent(position)]))
}

/** The cases' adapter is in the network already. */
function noParameters({ denoiser }: StoredChain): Parameters {
  return new Float32Array(denoiser.parameterCount)
}
