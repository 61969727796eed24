import { vjp } from '../autodiff/vjp.ts'
import { HalfstepError } from '../errors.ts'
import type { Graph, Value } from '../graph/graph.ts'
import type { Precision, Recomputation } from '../protocol.ts'
import { Session, type SessionOptions } from '../runtime/session.ts'
import { INITIAL_LOSS_SCALE, nextLossScale } from './loss-scale.ts'
import { recomputedSegments } from './recomputation.ts'
import { float32, toFloat32, zeros, type FloatTensor, type Tensor } from '../tensor/tensor.ts'

/** Feeds or results by name. */
export type Tensors = Readonly<Record<string, Tensor>>

export interface NetworkOptions extends SessionOptions {
  /** Outputs that upstream gradients arrive at; all float32. */
  readonly outputs: readonly string[]
  /** Graph inputs to differentiate by; all float32. */
  readonly wrt: readonly string[]
  /** What the network computes in; half precision scales the loss. */
  readonly compute?: Precision
  /** What the backward pass computes again; `auto` by default. */
  readonly recomputation?: Recomputation
}

/** Outputs and gradients by name, float32. */
export interface VjpResult {
  readonly outputs: Readonly<Record<string, FloatTensor>>
  readonly gradients: Readonly<Record<string, FloatTensor>>
}

const GATE = 'halfstep.train'
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
  readonly #scalesLoss: boolean
  #lossScale = INITIAL_LOSS_SCALE

  private constructor(session: Session, options: NetworkOptions, idle: Tensors) {
    this.#session = session
    this.#outputs = options.outputs
    this.#wrt = options.wrt
    this.#idle = idle
    this.#scalesLoss = options.compute === 'float16'
  }

  /** Differentiates the graph (which gains inputs and outputs for it) and compiles it. Throws as `vjp` and `Session.create` do. */
  static async create(graph: Graph, options: NetworkOptions): Promise<DifferentiableNetwork> {
    const recompute = await recomputedSegments(graph, options.recomputation ?? 'auto', options.device)
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
    const gradients = vjp(graph, pairs, wrt, { gate, recompute })
    gradients.forEach((gradient, i) => graph.output(gradientOf(wrt[i]?.name ?? ''), gradient))
    const idle = Object.fromEntries(pairs.map(([output, upstream]) => [upstream.name, zeros('float32', output.shape)]))
    return new DifferentiableNetwork(await Session.create(graph, options), options, idle)
  }

  /** Runs forward only. Gives the named outputs of the graph (those it was made to differentiate, by default). */
  async forward(inputs: Tensors, outputs: readonly string[] = this.#outputs): Promise<Record<string, Tensor>> {
    return this.#session.run({ ...inputs, ...this.#idle, [GATE]: bool(false) }, outputs)
  }

  /**
   * Runs forward and backward. In half precision the pass is repeated with a lower loss scale when a gradient overflows;
   * gradients that stay without bound at any scale are given as they are.
   * @param upstream dL/dy for each output y the network was made for
   * @returns the outputs, and dL/dx for each input x, under the names of x
   */
  async vjp(inputs: Tensors, upstream: Readonly<Record<string, FloatTensor>>): Promise<VjpResult> {
    if (!this.#scalesLoss) return this.#backward(inputs, upstream, 1)
    for (;;) {
      const result = await this.#backward(inputs, upstream, this.#lossScale.factor)
      const overflowed = !Object.values(result.gradients).every(isFinite)
      const next = nextLossScale(this.#lossScale, overflowed)
      if (next !== undefined) this.#lossScale = next
      if (!overflowed || next === undefined) return result
    }
  }

  async #backward(inputs: Tensors, upstream: Readonly<Record<string, FloatTensor>>, factor: number): Promise<VjpResult> {
    const feeds: Record<string, Tensor> = { ...inputs, [GATE]: bool(true) }
    for (const name of this.#outputs) feeds[upstreamOf(name)] = scaled(named(upstream[name], name), factor)
    const results = await this.#session.run(feeds, [...this.#outputs, ...this.#wrt.map(gradientOf)])
    const outputs = Object.fromEntries(this.#outputs.map((name) => [name, floats(results, name)]))
    const gradients = Object.fromEntries(this.#wrt.map((name) => [name, scaled(floats(results, gradientOf(name)), 1 / factor)]))
    return { outputs, gradients }
  }

  async dispose(): Promise<void> {
    await this.#session.dispose()
  }
}

function bool(value: boolean): Tensor<'bool'> {
  return { dtype: 'bool', shape: [], data: Uint8Array.of(value ? 1 : 0) }
}

function floats(results: Tensors, name: string): FloatTensor {
  return toFloat32(named(results[name], name))
}

function scaled(tensor: FloatTensor, factor: number): FloatTensor {
  return factor === 1
    ? tensor
    : float32(
        tensor.shape,
        tensor.data.map((value) => value * factor),
      )
}

function isFinite(tensor: FloatTensor): boolean {
  return tensor.data.every(Number.isFinite)
}

function named<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new HalfstepError('internal', `The network has nothing named ${name}.`)
  return value
}
