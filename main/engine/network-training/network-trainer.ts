import type { Parameter } from '../../../native-models/module.ts'
import { vjp } from '../autodiff/vjp.ts'
import { HalfstepError } from '../errors.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { fill } from '../graph/ops/index.ts'
import { Session, type SessionOptions } from '../runtime/session.ts'
import { toFloat32, type Tensor } from '../tensor/tensor.ts'
import { initAdam, stepAdam, type AdamSettings, type AdamState } from './adam.ts'
import { WeightVector } from './weight-vector.ts'

export interface NetworkTrainerOptions extends SessionOptions {
  /** The output to be made small: one number, float32. */
  readonly loss: string
  /** Further outputs to give back with every step: single numbers. */
  readonly report?: readonly string[]
  readonly adam: AdamSettings
}

/** What one step found. */
export interface StepResult {
  readonly loss: number
  /** By name. */
  readonly reported: Readonly<Record<string, number>>
  readonly gradientNorm: number
}

const gradientOf = (name: string): string => `gradient.${name}`

/** Trains every weight of a network from a graph of its loss, as opposed to an adapter beside them. */
export class NetworkTrainer {
  readonly weights: WeightVector
  readonly state: AdamState
  readonly #session: Session
  readonly #options: NetworkTrainerOptions

  private constructor(session: Session, weights: WeightVector, state: AdamState, options: NetworkTrainerOptions) {
    this.#session = session
    this.weights = weights
    this.state = state
    this.#options = options
  }

  /**
   * Differentiates the graph of the loss by its weights, which are graph inputs, and compiles it. Activations are kept: networks
   * trained from nothing on a processor are small.
   */
  static async create(graph: Graph, weights: WeightVector, options: NetworkTrainerOptions): Promise<NetworkTrainer> {
    const loss = named(graph.outputs.get(options.loss), options.loss)
    const inputs = weights.parameters.map(({ name }: Parameter) => named<Value>(graph.inputs.find((input) => input.name === name), name))
    const gradients = vjp(graph, [[loss, fill(graph.scope, loss.dtype, loss.shape, 1)]], inputs)
    gradients.forEach((gradient, i) => graph.output(gradientOf(inputs[i]!.name), gradient))
    return new NetworkTrainer(await Session.create(graph, options), weights, initAdam(weights.values), options)
  }

  /** One update of all weights. A loss or gradient that is not finite changes nothing and is given back as it is. */
  async step(feeds: Readonly<Record<string, Tensor>>, learningRate: number): Promise<StepResult> {
    const { loss, report = [], adam } = this.#options
    const { parameters, tensors, values } = this.weights
    const results = await this.#session.run({ ...feeds, ...Object.fromEntries(tensors) })
    const gradients = parameters.map(({ name }) => toFloat32(named(results[gradientOf(name)], name)).data)
    const gradientNorm = stepAdam(adam, this.state, values, gradients, learningRate)
    const scalar = (name: string): number => Number(named(results[name], name).data[0])
    return { loss: scalar(loss), reported: Object.fromEntries(report.map((name) => [name, scalar(name)])), gradientNorm }
  }

  /** The running mean of the weights, by name. */
  average(): WeightVector {
    return new WeightVector(this.weights.parameters, this.state.average)
  }

  async dispose(): Promise<void> {
    await this.#session.dispose()
  }
}

function named<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new HalfstepError('internal', `The network has nothing named ${name}.`)
  return value
}
