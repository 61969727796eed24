import type { Graph } from '../graph/graph.ts'
import { DifferentiableNetwork } from '../networks/differentiable-network.ts'
import type { Device, Precision } from '../protocol.ts'
import type { SessionOptions } from '../runtime/session.ts'
import { float32, toFloat32, zeros, type FloatTensor } from '../tensor/tensor.ts'
import { checkBatch, portion, starts } from './portions.ts'
import type { Reward, RewardGradient } from './reward.ts'

/** Where and for what pictures a reward is computed. */
export interface RewardPlace {
  readonly device: Device
  readonly precision: Precision
  /** CPU threads; all of them by default. */
  readonly threads?: number
  /** Pictures computed at once. Any number can be given; they are worked through in portions of this size. */
  readonly batch: number
  /** Height and width of the pictures. */
  readonly height: number
  readonly width: number
}

/** The settings of a session at this place. */
export function sessionOptions({ device, threads }: RewardPlace): SessionOptions {
  return { device, ...(threads === undefined ? {} : { threads }) }
}

/** Operands by input name; each has a row per picture. */
export type Rows = Readonly<Record<string, FloatTensor>> & { readonly pictures: FloatTensor }

/** A network that gives each picture one number, differentiable by the pictures. */
export class ScoringNetwork {
  readonly #network: DifferentiableNetwork
  readonly #batch: number

  private constructor(network: DifferentiableNetwork, batch: number) {
    this.#network = network
    this.#batch = batch
  }

  /** @param graph with the input `pictures` [batch, 3, h, w], any others, and the output `score` [batch] */
  static async create(graph: Graph, place: RewardPlace): Promise<ScoringNetwork> {
    const options = { ...sessionOptions(place), compute: place.precision, outputs: ['score'], wrt: ['pictures'] }
    return new ScoringNetwork(await DifferentiableNetwork.create(graph, options), place.batch)
  }

  async scores(rows: Rows): Promise<Float64Array> {
    const count = rows.pictures.shape[0] ?? 0
    const values = new Float64Array(count)
    for (const start of starts(count, this.#batch)) {
      const { score } = await this.#network.forward(this.#portionOf(rows, start))
      if (score !== undefined) values.set(toFloat32(score).data.subarray(0, count - start), start)
    }
    return values
  }

  /** The scores, and Σ_b weight_b dscore_b/dpictures. */
  async gradient(rows: Rows, weights: Float64Array): Promise<RewardGradient> {
    const { shape } = rows.pictures
    const count = shape[0] ?? 0
    const values = new Float64Array(count)
    const dPictures = zeros('float32', shape)
    for (const start of starts(count, this.#batch)) {
      const upstream = Array.from({ length: this.#batch }, (_, i) => weights[start + i] ?? 0)
      const { outputs, gradients } = await this.#network.vjp(this.#portionOf(rows, start), { score: float32([this.#batch], upstream) })
      const rowSize = dPictures.data.length / count
      values.set(outputs.score?.data.subarray(0, count - start) ?? [], start)
      dPictures.data.set(gradients.pictures?.data.subarray(0, (count - start) * rowSize) ?? [], start * rowSize)
    }
    return { values, dPictures }
  }

  async dispose(): Promise<void> {
    await this.#network.dispose()
  }

  #portionOf(rows: Rows, start: number): Record<string, FloatTensor> {
    return Object.fromEntries(Object.entries(rows).map(([name, tensor]) => [name, portion(tensor, start, this.#batch)]))
  }
}

/**
 * A scoring network as a reward.
 * @param operands what the network takes beside the pictures, a row per prompt
 * @param others what is held beside the network, to be freed with it
 */
export function networkReward(
  name: string,
  network: ScoringNetwork,
  operands: (prompts: readonly string[]) => Promise<Readonly<Record<string, FloatTensor>>> = () => Promise.resolve({}),
  others: readonly { dispose(): Promise<void> }[] = [],
): Reward {
  const rows = async (pictures: FloatTensor, prompts: readonly string[]): Promise<Rows> => {
    checkBatch(pictures, prompts)
    return { ...(await operands(prompts)), pictures }
  }
  return {
    name,
    evaluate: async (pictures, prompts) => network.scores(await rows(pictures, prompts)),
    gradient: async (pictures, prompts, weights) => network.gradient(await rows(pictures, prompts), weights),
    dispose: async () => {
      await Promise.all([network, ...others].map((held) => held.dispose()))
    },
  }
}
