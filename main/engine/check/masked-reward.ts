import { buildVaeDecoder } from '../../../native-models/vae.ts'
import * as ops from '../graph/ops/index.ts'
import { DifferentiableNetwork } from '../networks/differentiable-network.ts'
import type { ChainReward } from '../rlr/denoiser.ts'
import type { Shape } from '../tensor/shape.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import { soundComponent, type CheckContext } from './check-context.ts'

export interface MaskedReward extends Required<ChainReward> {
  dispose(): Promise<void>
}

/**
 * The reward of cases files, R = Σ tanh(mask · decode(x_0 / scale + shift)) / 64 per sample, as one network that has a gradient.
 * @param latentShape [b, c, h, w]
 */
export async function maskedReward(context: CheckContext, latentShape: Shape): Promise<MaskedReward> {
  const [batch = 1, , latentHeight = 1, latentWidth = 1] = latentShape
  const { cases, settings } = context
  const { config, weights } = await soundComponent(context, 'vae')
  const mask = await cases.floats('reward.mask')
  const { graph, outputs: { pixels } } = buildVaeDecoder(config, weights, { ...settings, batch, latentHeight, latentWidth })
  const { scope } = graph
  const judged = ops.unary(scope, 'Tanh', ops.arithmetic(scope, 'Mul', pixels, graph.input('mask', 'float32', mask.shape)))
  graph.output('reward', ops.scale(scope, ops.reduce(scope, 'ReduceSum', judged, [1, 2, 3]), 1 / 64))
  const network = await DifferentiableNetwork.create(graph, { ...settings, outputs: ['reward'], wrt: ['latents'] })

  const feeds = ({ shape, data }: FloatTensor): { latents: FloatTensor; mask: FloatTensor } => ({
    latents: float32(shape, data.map((value) => value / config.scalingFactor + (config.shiftFactor ?? 0))),
    mask,
  })
  return {
    value: async (x0) => {
      const { reward } = await network.forward(feeds(x0))
      return reward === undefined ? new Float64Array() : Float64Array.from(toFloat32(reward).data)
    },
    gradient: async (x0, weightOf) => {
      const { outputs, gradients } = await network.vjp(feeds(x0), { reward: float32([batch], Float32Array.from(weightOf)) })
      const dx0 = gradients.latents ?? float32([0], [])
      return {
        values: Float64Array.from(outputs.reward?.data ?? []),
        dx0: float32(dx0.shape, dx0.data.map((value) => value / config.scalingFactor)),
      }
    },
    dispose: () => network.dispose(),
  }
}
