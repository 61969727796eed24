import { buildVaeDecoder, buildVaeEncoder } from '../../../native-models/vae.ts'
import { DifferentiableNetwork } from '../networks/differentiable-network.ts'
import { Session } from '../runtime/session.ts'
import { soundComponent, type CheckContext } from './check-context.ts'
import { SINGLE_TOLERANCE, compareOutput, type CheckLine } from './report.ts'

/** vae.*: decoder with its gradient, and encoder. */
export async function checkVae(context: CheckContext): Promise<CheckLine[]> {
  return [...(await checkDecoder(context)), ...(await checkEncoder(context))]
}

async function checkDecoder(context: CheckContext): Promise<CheckLine[]> {
  const { cases, settings } = context
  const names = ['vae.decode.output', 'vae.decode.grad_latents'].filter((name) => cases.has(name) && context.wants(name))
  if (names.length === 0) return []
  const { config, weights } = await soundComponent(context, 'vae')
  const latents = await cases.floats('vae.decode.latents')
  const [batch = 1, , latentHeight = 1, latentWidth = 1] = latents.shape
  const model = buildVaeDecoder(config, weights, { ...settings, batch, latentHeight, latentWidth })
  const network = await DifferentiableNetwork.create(model.graph, { ...settings, outputs: ['pixels'], wrt: ['latents'] })
  try {
    const upstream = await cases.floats(cases.has('vae.decode.grad_output') ? 'vae.decode.grad_output' : 'vae.decode.output')
    const { outputs, gradients } = await network.vjp({ latents }, { pixels: upstream })
    const ours = { 'vae.decode.output': outputs.pixels, 'vae.decode.grad_latents': gradients.latents }
    const lines: CheckLine[] = []
    for (const [name, tensor] of Object.entries(ours)) {
      if (tensor === undefined || !names.includes(name)) continue
      lines.push(compareOutput(name, tensor, await cases.floats(name), SINGLE_TOLERANCE[settings.compute]))
    }
    return lines
  } finally {
    await network.dispose()
  }
}

async function checkEncoder(context: CheckContext): Promise<CheckLine[]> {
  const { cases, settings } = context
  const names = ['mean', 'logvar'].filter((name) => cases.has(`vae.encode.${name}`) && context.wants(`vae.encode.${name}`))
  if (names.length === 0) return []
  const { config, weights } = await soundComponent(context, 'vae')
  const pixels = await cases.floats('vae.encode.pixels')
  const [batch = 1, , height = 1, width = 1] = pixels.shape
  const session = await Session.create(buildVaeEncoder(config, weights, { ...settings, batch, height, width }).graph, settings)
  try {
    const results = await session.run({ pixels })
    const lines: CheckLine[] = []
    for (const name of names) {
      const ours = results[name]
      if (ours !== undefined)
        lines.push(compareOutput(`vae.encode.${name}`, ours, await cases.floats(`vae.encode.${name}`), SINGLE_TOLERANCE[settings.compute]))
    }
    return lines
  } finally {
    await session.dispose()
  }
}
