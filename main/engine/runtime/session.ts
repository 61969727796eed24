import * as ort from 'onnxruntime-node'
import { HalfstepError } from '../errors.ts'
import { writeOnnx } from '../graph/onnx/write.ts'
import type { Graph } from '../graph/graph.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import type { DType } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Device } from '../protocol.ts'
import { avoidQuirks, knownQuirks, type DeviceQuirks } from './device-quirks.ts'
import { convTransposeCheck } from './probe-graphs.ts'
import { runtimeOptions, type RuntimeSettings } from './runtime-options.ts'

export interface SessionOptions extends RuntimeSettings {
  /** What the device computes wrongly; by default what is known of it without a probe. */
  readonly quirks?: DeviceQuirks
}

type Feeds = Readonly<Record<string, Tensor>>

/** Runs of all sessions go through one queue: the runtime uses every core already, and concurrent WebGPU runs can crash. */
let lastRun: Promise<unknown> = Promise.resolve()

/** A graph compiled for one device. */
export class Session {
  readonly #session: ort.InferenceSession
  readonly #graph: Graph
  readonly #device: Device

  private constructor(session: ort.InferenceSession, graph: Graph, device: Device) {
    this.#session = session
    this.#graph = graph
    this.#device = device
  }

  /** Compiles a graph. Throws `device.failed` with the runtime's reason when the device cannot take it. */
  static async create(graph: Graph, options: SessionOptions): Promise<Session> {
    const quirks = options.quirks ?? { ...knownQuirks(options.device), convTranspose: await miscomputesConvTranspose(options.device) }
    const model = writeOnnx(avoidQuirks(graph, quirks))
    try {
      return new Session(await ort.InferenceSession.create(model.bytes, runtimeOptions(options, model)), graph, options.device)
    } catch (error) {
      throw deviceError(options.device, 'could not load the model', error)
    }
  }

  /**
   * Computes the named outputs. Every graph input must be fed with its declared element type and shape.
   * Throws `graph.shape` for a wrong feed and `device.failed` when the runtime fails.
   */
  async run(feeds: Feeds, outputs: readonly string[] = [...this.#graph.outputs.keys()]): Promise<Record<string, Tensor>> {
    const runtimeFeeds = this.#runtimeFeeds(feeds)
    const run = lastRun.then(() => this.#session.run(runtimeFeeds, [...outputs]))
    lastRun = run.catch(() => undefined)
    try {
      const results = await run
      return Object.fromEntries(outputs.map((name) => [name, fromRuntime(results[name])]))
    } catch (error) {
      throw deviceError(this.#device, 'failed while computing', error)
    }
  }

  async dispose(): Promise<void> {
    await this.#session.release()
  }

  #runtimeFeeds(feeds: Feeds): Record<string, ort.Tensor> {
    return Object.fromEntries(
      this.#graph.inputs.map(({ name, dtype, shape }) => {
        const fed = feeds[name]
        if (fed === undefined) throw new HalfstepError('graph.shape', `The input ${name} was not given.`)
        if (fed.dtype !== dtype || !sameShape(fed.shape, shape)) {
          const given = `${fed.dtype} ${formatShape(fed.shape)}`
          throw new HalfstepError('graph.shape', `The input ${name} is ${given}, but the model takes ${dtype} ${formatShape(shape)}.`)
        }
        return [name, toRuntime(fed)]
      }),
    )
  }
}

/** Devices whose ConvTranspose was compared with the CPU's Conv in this process: some DirectML drivers get it wrong. */
const convTransposeTests = new Map<Device, Promise<boolean>>()

function miscomputesConvTranspose(device: Device): Promise<boolean> {
  if (device === 'cpu') return Promise.resolve(false)
  const known = convTransposeTests.get(device) ?? testConvTranspose(device)
  convTransposeTests.set(device, known)
  return known
}

async function testConvTranspose(device: Device): Promise<boolean> {
  const check = convTransposeCheck()
  // Imported late, because comparing devices takes sessions.
  const { largestError } = await import('./compare-devices.ts')
  return (await largestError(device, check)) > check.tolerance
}

function toRuntime(tensor: Tensor): ort.Tensor {
  return new ort.Tensor(tensor.dtype as 'float32', tensor.data as Float32Array, tensor.shape)
}

function fromRuntime(tensor: ort.Tensor | undefined): Tensor {
  if (tensor === undefined) throw new HalfstepError('internal', 'The runtime left out an output.')
  return { dtype: tensor.type as DType, shape: tensor.dims, data: tensor.data as Float32Array }
}

function deviceError(device: Device, what: string, error: unknown): HalfstepError {
  const reason = error instanceof Error ? error.message : String(error)
  const code = /memory|alloc/i.test(reason) ? 'device.memory' : 'device.failed'
  const next = code === 'device.memory' ? 'Use a smaller batch or picture, or another device.' : 'Try another device with --device.'
  return new HalfstepError(code, `The device ${device} ${what}: ${reason}`, next)
}
