import { buildVaeDecoder } from '../../../native-models/vae.ts'
import { ddimCoefficients } from '../diffusion/ddim.ts'
import { STABLE_DIFFUSION_SCHEDULE, noiseSchedule } from '../diffusion/noise-schedule.ts'
import { Session } from '../runtime/session.ts'
import { elementCount } from '../tensor/shape.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import { requireComponent, type CheckContext } from './check-context.ts'
import { CHAIN_TOLERANCE, SINGLE_TOLERANCE, compareOutput, type CheckLine } from './report.ts'
import { addedConditions } from './unet-evaluator.ts'

/** ddim.*: the coefficients from the schedule, and every latent of the chain that starts at the stored x_T. */
export async function checkChain(context: CheckContext): Promise<CheckLine[]> {
  const { cases } = context
  const { coefficients, latents } = await sampleChain(context)
  const steps = coefficients.flatMap(({ kx, ke, sigma }) => [kx, ke, sigma])
  const ours = {
    'ddim.coef': { tensor: float32([coefficients.length, 3], steps), tolerance: SINGLE_TOLERANCE },
    'ddim.latents': { tensor: latents, tolerance: CHAIN_TOLERANCE },
  }
  const lines: CheckLine[] = []
  for (const [name, { tensor, tolerance }] of Object.entries(ours)) {
    if (cases.has(name) && context.wants(name)) lines.push(compareOutput(name, tensor, await cases.floats(name), tolerance))
  }
  return lines
}

/** reward.value: R = Σ tanh(mask · decode(x_0 / scale)) / 64 per sample, at the end of our own chain. */
export async function checkReward(context: CheckContext): Promise<CheckLine[]> {
  const { cases, settings } = context
  const { config, weights } = await requireComponent(context, 'vae')
  const { latents } = await sampleChain(context)
  const [steps = 1, batch = 1, channels = 1, latentHeight = 1, latentWidth = 1] = latents.shape
  const shape = [batch, channels, latentHeight, latentWidth]
  const clean = latents.data
    .slice((steps - 1) * elementCount(shape))
    .map((value) => value / config.scalingFactor + (config.shiftFactor ?? 0))
  const session = await Session.create(buildVaeDecoder(config, weights, { ...settings, batch, latentHeight, latentWidth }).graph, settings)
  try {
    const { pixels } = await session.run({ latents: float32(shape, clean) })
    const decoded = pixels === undefined ? new Float32Array() : toFloat32(pixels).data
    const mask = (await cases.floats('reward.mask')).data
    const values = Array.from(
      { length: batch },
      (_, b) => mask.reduce((sum, m, i) => sum + Math.tanh(m * (decoded[b * mask.length + i] ?? NaN)), 0) / 64,
    )
    return [compareOutput('reward.value', float32([batch], values), await cases.floats('reward.value'), CHAIN_TOLERANCE)]
  } finally {
    await session.dispose()
  }
}

/** Runs the stored chain with our own networks and coefficients → latents [T+1, b, c, h, w], x_T first. */
async function sampleChain(context: CheckContext): Promise<{ coefficients: ReturnType<typeof ddimCoefficients>; latents: FloatTensor }> {
  const { cases, checkpoint } = context
  const timesteps = await cases.numbers('ddim.timesteps')
  const guidance = await cases.scalar('ddim.guidance_scale')
  const schedule = noiseSchedule(checkpoint.scheduler ?? STABLE_DIFFUSION_SCHEDULE)
  const coefficients = ddimCoefficients(schedule, timesteps, await cases.scalar('ddim.eta'), checkpoint.predictionType)
  const stored = await cases.floats('ddim.latents')
  const noise = await cases.floats('ddim.noise')
  const [, ...shape] = stored.shape
  const size = elementCount(shape)
  const added = await addedConditions(context)
  const conditional = { context: await cases.floats('text.last_hidden_state'), added }
  const unconditional = { context: await cases.floats('text.uncond'), added }
  const strength = cases.names('lora.').length > 0 ? 1 : 0

  const evaluator = await context.evaluators.get(context, shape, conditional.context.shape[1] ?? 1)
  const latents = new Float32Array((timesteps.length + 1) * size)
  latents.set(stored.data.subarray(0, size))
  for (const [i, { kx, ke, sigma }] of coefficients.entries()) {
    const x = float32(shape, latents.slice(i * size, (i + 1) * size))
    const t = new Array<number>(shape[0] ?? 1).fill(timesteps[i] ?? 0)
    const c = (await evaluator.predict(x, t, conditional, strength)).data
    const u = (await evaluator.predict(x, t, unconditional, strength)).data
    for (let k = 0; k < size; k++) {
      const e = (u[k] ?? 0) + guidance * ((c[k] ?? 0) - (u[k] ?? 0))
      latents[(i + 1) * size + k] = kx * (x.data[k] ?? 0) + ke * e + sigma * (noise.data[i * size + k] ?? 0)
    }
  }
  return { coefficients, latents: float32([timesteps.length + 1, ...shape], latents) }
}
