import { strengthInput } from '../../../native-models/adapter-slot.ts'
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { buildUnet, type UnetModel, type UnetOptions } from '../../../native-models/unet.ts'
import { HalfstepError } from '../errors.ts'
import type { ParameterLayout } from '../adapters/parameter-layout.ts'
import { DifferentiableNetwork, type NetworkOptions } from '../networks/differentiable-network.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import type { AppliedAdapters } from './applied-adapters.ts'
import { requireComponent } from './require-component.ts'
import { TRAINED, trainedLayout, trainedSlot, type TrainedAdapterOptions } from './trained-adapter.ts'

/** What a UNet is told beside latents and timestep: its inputs by name. */
export type UnetConditions = Readonly<Record<string, FloatTensor>>

export interface UnetNetworkOptions extends Pick<NetworkOptions, 'device' | 'threads' | 'recomputation'>, Omit<UnetOptions, 'adapters'> {
  readonly applied: AppliedAdapters
  readonly trained?: TrainedAdapterOptions
}

/** The UNet of a checkpoint with its adapters, for one shape of inputs; compiled when it is first used. */
export class UnetNetwork {
  readonly model: UnetModel
  /** The trained adapter's θ. */
  readonly layout: ParameterLayout
  readonly #options: UnetNetworkOptions
  readonly #applied: Readonly<Record<string, FloatTensor>>
  #network: Promise<DifferentiableNetwork> | undefined

  /** Builds the graph. Throws what building does, `adapter.mismatch`, and `recipe.impossible` when no layer is to be trained. */
  constructor(checkpoint: Checkpoint, options: UnetNetworkOptions) {
    const { config, weights } = requireComponent(checkpoint, 'unet')
    const { applied, trained } = options
    const adapters = [...applied.slots('unet'), ...(trained === undefined ? [] : [trainedSlot(trained)])]
    this.#options = options
    this.model = buildUnet(config, weights, { ...options, adapters })
    this.layout = trainedLayout(this.model.adapterTargets)
    this.#applied = applied.feeds('unet', this.model.adapterTargets)
    if (trained !== undefined && this.layout.size === 0) {
      const message = 'None of the layers to be trained is in this model.'
      throw new HalfstepError('recipe.impossible', message, 'Choose other layers.', { key: 'target' })
    }
  }

  /** e(x_t) [b, c, h, w]. @param timestep the same for the whole batch */
  async predict(sample: FloatTensor, timestep: number, conditions: UnetConditions, theta: Parameters): Promise<FloatTensor> {
    const network = await this.#compiled()
    const { output } = await network.forward(this.#feeds(sample, timestep, conditions, theta), ['output'])
    if (output === undefined) throw new HalfstepError('internal', 'The UNet gave no output.')
    return toFloat32(output)
  }

  /** dL/dx and dL/dθ for u = dL/de. */
  async vjp(
    sample: FloatTensor,
    timestep: number,
    conditions: UnetConditions,
    theta: Parameters,
    u: FloatTensor,
  ): Promise<{ dx: FloatTensor; dTheta: Parameters }> {
    const network = await this.#compiled()
    const { gradients } = await network.vjp(this.#feeds(sample, timestep, conditions, theta), { output: u })
    const { sample: dx } = gradients
    if (dx === undefined) throw new HalfstepError('internal', 'This UNet was opened without anything to train, and has no gradient.')
    return { dx, dTheta: this.layout.gather(gradients) }
  }

  async dispose(): Promise<void> {
    const network = await this.#network?.catch(() => undefined)
    this.#network = undefined
    await network?.dispose()
  }

  /** Without a trained adapter there is nothing to differentiate, and the gradient is left out of the session. */
  #compiled(): Promise<DifferentiableNetwork> {
    const { device, threads, recomputation, compute, trained } = this.#options
    const gradient = trained === undefined
      ? { outputs: [], wrt: [] }
      : { outputs: ['output'], wrt: ['sample', ...this.layout.parts.map(({ input }) => input)] }
    this.#network ??= DifferentiableNetwork.create(this.model.graph, {
      device,
      ...(threads === undefined ? {} : { threads }),
      ...gradient,
      ...(compute === undefined ? {} : { compute }),
      ...(recomputation === undefined ? {} : { recomputation }),
    })
    return this.#network
  }

  #feeds(sample: FloatTensor, timestep: number, conditions: UnetConditions, theta: Parameters): Record<string, FloatTensor> {
    const [batch = 1] = sample.shape
    return {
      sample,
      timestep: float32([batch], new Array<number>(batch).fill(timestep)),
      ...conditions,
      ...this.#applied,
      ...(this.layout.size === 0 ? {} : { ...this.layout.feeds(theta), [strengthInput(TRAINED)]: float32([], [1]) }),
    }
  }
}
