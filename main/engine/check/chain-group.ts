import { rollOut } from '../rlr/rollout.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import type { CheckContext } from './check-context.ts'
import { maskedReward } from './masked-reward.ts'
import { CHAIN_TOLERANCE, SINGLE_TOLERANCE, compareOutput, type CheckLine } from './report.ts'
import { storedChain } from './stored-chain.ts'

/** ddim.*: the coefficients from the schedule, and every latent of the chain that starts at the stored x_T. */
export async function checkChain(context: CheckContext): Promise<CheckLine[]> {
  const { cases, settings } = context
  const { coefficients, latents } = await chainOf(context)
  const steps = coefficients.flatMap(({ kx, ke, sigma }) => [kx, ke, sigma])
  const ours = {
    'ddim.coef': { tensor: float32([coefficients.length, 3], steps), tolerance: SINGLE_TOLERANCE.float32 },
    'ddim.latents': { tensor: stacked(latents), tolerance: CHAIN_TOLERANCE[settings.compute] },
  }
  const lines: CheckLine[] = []
  for (const [name, { tensor, tolerance }] of Object.entries(ours)) {
    if (cases.has(name) && context.wants(name)) lines.push(compareOutput(name, tensor, await cases.floats(name), tolerance))
  }
  return lines
}

/** reward.value, at the end of our own chain. */
export async function checkReward(context: CheckContext): Promise<CheckLine[]> {
  const { cases, settings } = context
  const x0 = (await chainOf(context)).latents.at(-1) ?? float32([0], [])
  const reward = await maskedReward(context, x0.shape)
  try {
    const values = float32([x0.shape[0] ?? 1], Float32Array.from(await reward.value(x0)))
    return [compareOutput('reward.value', values, await cases.floats('reward.value'), CHAIN_TOLERANCE[settings.compute])]
  } finally {
    await reward.dispose()
  }
}

interface Chain {
  readonly coefficients: Awaited<ReturnType<typeof storedChain>>['coefficients']
  /** Each [b, c, h, w], x_T first and x_0 last. */
  readonly latents: readonly FloatTensor[]
}

/** The chain of each check, sampled once for both groups: it is the longest part of a check. */
const chains = new WeakMap<CheckContext, Promise<Chain>>()

function chainOf(context: CheckContext): Promise<Chain> {
  const chain = chains.get(context) ?? sampleChain(context)
  chains.set(context, chain)
  return chain
}

/** Runs the stored chain with our own networks and coefficients. */
async function sampleChain(context: CheckContext): Promise<Chain> {
  const { coefficients, denoiser, noise } = await storedChain(context)
  const theta = new Float32Array(denoiser.parameterCount)
  const { x0, latents } = await rollOut(denoiser, coefficients, noise, () => theta, new Set(coefficients.keys()))
  return { coefficients, latents: [...latents.values(), x0] }
}

/** Tensors of one shape as one with a further axis in front. */
function stacked(tensors: readonly FloatTensor[]): FloatTensor {
  const [first = float32([0], [])] = tensors
  const data = new Float32Array(tensors.length * first.data.length)
  tensors.forEach((tensor, i) => data.set(tensor.data, i * first.data.length))
  return float32([tensors.length, ...first.shape], data)
}
