import { strengthInput } from '../../../native-models/adapter-slot.ts'
import { buildUnet } from '../../../native-models/unet.ts'
import { HalfstepError } from '../errors.ts'
import { DifferentiableNetwork } from '../networks/differentiable-network.ts'
import { float32, type FloatTensor, type Tensor } from '../tensor/tensor.ts'
import { soundComponent, type CheckContext } from './check-context.ts'

const SLOT = 'adapter'

/** The conditions of a UNet evaluation beside latents and timestep. */
export interface UnetConditions {
  readonly context: FloatTensor
  readonly added: Readonly<Record<string, Tensor>>
}

/** The UNet of a checkpoint with the cases' adapter on its layers, for one shape of inputs. */
export class UnetEvaluator {
  readonly #network: DifferentiableNetwork
  readonly #matrices: Record<string, Tensor>
  /** Module-path names of the adapter's matrices, as the cases spell them. */
  readonly adapterNames: readonly string[]
  /** Numbers in the adapter. */
  readonly parameterCount: number

  private constructor(network: DifferentiableNetwork, matrices: Record<string, Tensor>) {
    this.#network = network
    this.#matrices = matrices
    this.adapterNames = Object.keys(matrices).map((name) => name.slice(SLOT.length + 1))
    this.parameterCount = Object.values(matrices).reduce((sum, { data }) => sum + data.length, 0)
  }

  /** @param sampleShape [b, c, h, w] @param textLength tokens of the condition */
  static async create(context: CheckContext, sampleShape: readonly number[], textLength: number): Promise<UnetEvaluator> {
    const { config, weights } = await soundComponent(context, 'unet')
    const { cases, settings } = context
    const paths = new Set(cases.names('lora.').flatMap((name) => name.match(/^lora\.(.+)\.lora_A\.weight$/)?.slice(1) ?? []))
    const alpha = cases.has('lora.alpha') ? await cases.scalar('lora.alpha') : 1
    const ranks = new Map<string, number>()
    for (const path of paths) ranks.set(path, (await cases.tensor(`lora.${path}.lora_A.weight`)).shape[0] ?? 1)

    const [batch = 1, , latentHeight = 1, latentWidth = 1] = sampleShape
    const target = (path: string) => {
      const rank = ranks.get(path)
      return rank === undefined ? undefined : { rank, alpha }
    }
    const timeIds = cases.has('unet.time_ids') ? (await cases.tensor('unet.time_ids')).shape[1] : undefined
    const model = buildUnet(config, weights, {
      ...settings,
      batch,
      latentHeight,
      latentWidth,
      textLength,
      ...(timeIds === undefined ? {} : { timeIds }),
      adapters: paths.size === 0 ? [] : [{ name: SLOT, target }],
    })
    const found = new Set(model.adapterTargets.map((adapterTarget) => adapterTarget.path))
    const lost = [...paths].filter((path) => !found.has(path))
    if (lost.length > 0)
      throw new HalfstepError(
        'adapter.mismatch',
        `The UNet of ${context.checkpoint.path} has no layer ${lost[0]}, which the cases' adapter adapts.`,
      )

    const matrices: Record<string, Tensor> = {}
    for (const { path, down, up } of model.adapterTargets) {
      matrices[down.input] = await cases.floats(`lora.${path}.lora_A.weight`)
      matrices[up.input] = await cases.floats(`lora.${path}.lora_B.weight`)
    }
    const wrt = ['sample', 'encoder_hidden_states', ...Object.keys(matrices)]
    const network = await DifferentiableNetwork.create(model.graph, { ...settings, outputs: ['output'], wrt })
    return new UnetEvaluator(network, matrices)
  }

  /** e(x_t, t, condition) [b, c, h, w]; strength 0 is the bare model. */
  async predict(sample: FloatTensor, timestep: readonly number[], conditions: UnetConditions, strength: number): Promise<FloatTensor> {
    const { output } = await this.#network.forward(this.#feeds(sample, timestep, conditions, strength))
    return output as FloatTensor
  }

  /** The prediction and its gradient for the upstream gradient u: by `sample`, `encoder_hidden_states`, and adapter matrices by path. */
  async vjp(
    sample: FloatTensor,
    timestep: readonly number[],
    conditions: UnetConditions,
    strength: number,
    u: FloatTensor,
  ): Promise<{ output: FloatTensor; gradient: (name: string) => FloatTensor }> {
    const { outputs, gradients } = await this.#network.vjp(this.#feeds(sample, timestep, conditions, strength), { output: u })
    return {
      output: outputs.output as FloatTensor,
      gradient: (name) => (gradients[name] ?? gradients[`${SLOT}.${name}`]) as FloatTensor,
    }
  }

  async dispose(): Promise<void> {
    await this.#network.dispose()
  }

  #feeds(sample: FloatTensor, timestep: readonly number[], { context, added }: UnetConditions, strength: number): Record<string, Tensor> {
    const scale = this.adapterNames.length === 0 ? {} : { [strengthInput(SLOT)]: float32([], [strength]) }
    return { sample, timestep: float32([timestep.length], timestep), encoder_hidden_states: context, ...added, ...this.#matrices, ...scale }
  }
}

/** The evaluators of one check, each built once: compiling a UNet takes longer than running it. */
export class UnetEvaluators {
  readonly #byShape = new Map<string, Promise<UnetEvaluator>>()

  get(context: CheckContext, sampleShape: readonly number[], textLength: number): Promise<UnetEvaluator> {
    const key = `${sampleShape.join('×')}, ${textLength}`
    const known = this.#byShape.get(key) ?? UnetEvaluator.create(context, sampleShape, textLength)
    this.#byShape.set(key, known)
    return known
  }

  async dispose(): Promise<void> {
    for (const evaluator of await Promise.allSettled(this.#byShape.values()))
      if (evaluator.status === 'fulfilled') await evaluator.value.dispose()
    this.#byShape.clear()
  }
}

/** SDXL's further conditions as the cases store them. */
export async function addedConditions({ cases }: CheckContext): Promise<Record<string, Tensor>> {
  const added: Record<string, Tensor> = {}
  for (const name of ['text_embeds', 'time_ids']) if (cases.has(`unet.${name}`)) added[name] = await cases.floats(`unet.${name}`)
  return added
}
