import { vjp } from '../autodiff/vjp.ts'
import { HalfstepError } from '../errors.ts'
import type { Graph, Segment, Value } from '../graph/graph.ts'
import { Session, type SessionOptions } from '../runtime/session.ts'
import { zeros, type FloatTensor, type Tensor } from '../tensor/tensor.ts'

/** Feeds or results by name. */
export type Tensors = Readonly<Record<string, Tensor>>

export interface NetworkOptions extends SessionOptions {
  /** Outputs that upstream gradients arrive at; all float32. */
  readonly outputs: readonly string[]
  /** Graph inputs to differentiate by; all float32. */
  readonly wrt: readonly string[]
  /** Which segments are recomputed in the backward pass; see {@link vjp}. */
  readonly recompute?: (segment: Segment) => boolean
}

const GATE = 'train'
const upstreamOf = (output: string): string => `upstream.${output}`
const gradientOf = (input: string): string => `gradient.${input}`

/**
 * A network on a device that can be run forward and backward in one session, so that its weights are there once. The gradient
 * sits behind a gate and costs the forward pass nothing.
 */
export class DifferentiableNetwork {
  readonly #session: Session
  readonly #outputs: readonly string[]
  readonly #wrt: readonly string[]
  readonly #idle: Tensors

  private constructor(session: Session, options: NetworkOptions, idle: Tensors) {
    this.#session = session
    this.#outputs = options.outputs
    this.#wrt = options.wrt
    this.#idle = idle
  }

  /** Differentiates the graph (which gains inputs and outputs for it) and compiles it. Throws as `vjp` and `Session.create` do. */
  static async create(graph: Graph, options: NetworkOptions): Promise<DifferentiableNetwork> {
    const gate = graph.input(GATE, 'bool', [])
    const pairs = options.outputs.map((name): [Value, Value] => {
      const output = named(graph.outputs.get(name), name)
      return [output, graph.input(upstreamOf(name), 'float32', output.shape)]
    })
    const wrt = options.wrt.map((name) =>
      named(
        graph.inputs.find((input) => input.name === name),
        name,
      ),
    )
    const gradients = vjp(graph, pairs, wrt, { gate, ...(options.recompute === undefined ? {} : { recompute: options.recompute }) })
    gradients.forEach((gradient, i) => graph.output(gradientOf(wrt[i]?.name ?? ''), gradient))
    const idle = Object.fromEntries(pairs.map(([output, upstream]) => [upstream.name, zeros('float32', output.shape)]))
    return new DifferentiableNetwork(await Session.create(graph, options), options, idle)
  }

  /** Runs forward only. Gives the named outputs of the graph (those it was made to differentiate, by default). */
  async forward(inputs: Tensors, outputs: readonly string[] = this.#outputs): Promise<Record<string, Tensor>> {
    return this.#session.run({ ...inputs, ...this.#idle, [GATE]: bool(false) }, outputs)
  }

  /**
   * Runs forward and backward.
   * @param upstream dL/dy for each output y the network was made for
   * @returns the outputs, and dL/dx for each input x, under the names of x
   */
  async vjp(
    inputs: Tensors,
    upstream: Readonly<Record<string, FloatTensor>>,
  ): Promise<{ outputs: Record<string, Tensor>; gradients: Record<string, Tensor> }> {
    const feeds = {
      ...inputs,
      ...Object.fromEntries(this.#outputs.map((name) => [upstreamOf(name), named(upstream[name], name)])),
      [GATE]: bool(true),
    }
    const results = await this.#session.run(feeds, [...this.#outputs, ...this.#wrt.map(gradientOf)])
    const pick = (names: readonly string[], key: (name: string) => string): Record<string, Tensor> =>
      Object.fromEntries(names.map((name) => [name, named(results[key(name)], name)]))
    return { outputs: pick(this.#outputs, (name) => name), gradients: pick(this.#wrt, gradientOf) }
  }

  async dispose(): Promise<void> {
    await this.#session.dispose()
  }
}

function bool(value: boolean): Tensor<'bool'> {
  return { dtype: 'bool', shape: [], data: Uint8Array.of(value ? 1 : 0) }
}

function named<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new HalfstepError('internal', `The network has nothing named ${name}.`)
  return value
}
