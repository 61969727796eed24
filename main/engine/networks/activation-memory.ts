/** How much memory a network's activations take, told from its graph alone. */
import { vjp } from '../autodiff/vjp.ts'
import { HalfstepError } from '../errors.ts'
import { nodesFor, type Graph, type Node, type Region, type Segment, type Value } from '../graph/graph.ts'
import type { Device } from '../protocol.ts'
import { bytesPerElement } from '../tensor/dtype.ts'
import { elementCount } from '../tensor/shape.ts'

/** How a network is to be run. */
export interface NetworkUse {
  /** The output that the upstream gradient arrives at. */
  readonly output: string
  /** Inputs to differentiate by. */
  readonly wrt: readonly string[]
  readonly recompute: (segment: Segment) => boolean
  /** Whether its gradient is asked for, or only its outputs. */
  readonly backward: boolean
  readonly device: Device
}

/** The runtime's arena rounds sizes up and cannot fill all gaps: live values were 69 to 93 % of what it held on the CPU. */
const ARENA = 1.25

/**
 * About how many bytes a differentiable network takes beside its weights when it runs once; its runtime keeps them from then on.
 * @param graph of the forward pass; it gains the gradient, and is good for nothing else afterwards
 */
export function networkBytes(graph: Graph, { output, wrt, recompute, backward, device }: NetworkUse): number {
  const y = graph.outputs.get(output)
  const inputs = graph.inputs.filter(({ name }) => wrt.includes(name))
  if (y === undefined) throw new HalfstepError('internal', `The network has no output named ${output}.`)
  const gate = graph.input('memory.gate', 'bool', [])
  const upstream = graph.input('memory.upstream', y.dtype, y.shape)
  vjp(graph, [[y, upstream]], inputs, { gate, recompute }).forEach((gradient, i) => graph.output(`memory.gradient.${i}`, gradient))
  return ARENA * peakActivationBytes(graph, { device, gateOpen: backward })
}

export interface RunConditions {
  readonly device: Device
  /** Which branch every If takes: `then` or `else`. */
  readonly gateOpen: boolean
}

/**
 * The most bytes of activations that are alive at once while the outputs of a graph are computed:
 *
 *   peak(region) = max over its nodes n of  Σ_{v alive at n} bytes(v) + scratch(n) + (n is an If ? peak(branch) − bytes(its results) : 0)
 *
 * where a value is alive from the node that makes it to the last one that reads it, results of the region to its end, and an If
 * reads whatever its branches capture. Recomputed segments are such branches, so each counts by itself. Inputs, weights and
 * constants are left out, and reshaped values share the bytes of the original.
 */
export function peakActivationBytes(graph: Graph, conditions: RunConditions): number {
  const results = [...graph.outputs.values()]
  return new Liveness(nodesFor(results), conditions).peakOf(graph.main, results)
}

class Liveness {
  readonly #conditions: RunConditions
  readonly #nodes: ReadonlyMap<Region, readonly Node[]>
  readonly #operands = new Map<Node, ReadonlySet<Value>>()

  constructor(nodes: readonly Node[], conditions: RunConditions) {
    this.#conditions = conditions
    this.#nodes = grouped(nodes)
  }

  peakOf(region: Region, results: readonly Value[]): number {
    const nodes = this.#runningOrder(this.#nodes.get(region) ?? [])
    const lastReader = new Map(nodes.flatMap((node) => [...this.#operandsOf(node)].map((value) => [owner(value), node] as const)))
    const kept = new Set(results.map(owner))
    const alive = new Set<Value>()
    let bytes = 0
    let peak = 0
    for (const node of nodes) {
      const made = node.outputs.filter((value) => owner(value) === value)
      for (const value of made) {
        alive.add(value)
        bytes += this.#bytesOf(value)
      }
      peak = Math.max(peak, bytes + this.#inside(node))
      for (const value of [...made, ...[...this.#operandsOf(node)].map(owner)]) {
        if (kept.has(value) || (lastReader.get(value) ?? node) !== node || !alive.delete(value)) continue
        bytes -= this.#bytesOf(value)
      }
    }
    return peak
  }

  /** What a node needs besides its outputs. */
  #inside(node: Node): number {
    if (node.operator === 'ConvTranspose') return this.#scratch(node)
    if (node.operator !== 'If') return 0
    const branch = this.#conditions.gateOpen ? node.attributes.then : node.attributes.else
    return this.peakOf(branch, branch.results) - branch.results.reduce((sum, value) => sum + this.#bytesOf(value), 0)
  }

  /** ONNX Runtime's kernel for the CPU makes the columns [c' · kernel, h · w] of an input [c, h, w] before it adds them up (col2im). */
  #scratch({ inputs: [x, weight] }: Node): number {
    if (this.#conditions.device !== 'cpu' || x === undefined || weight === undefined) return 0
    return Float32Array.BYTES_PER_ELEMENT * elementCount(weight.shape.slice(1)) * elementCount(x.shape.slice(2))
  }

  /**
   * As ONNX Runtime orders the nodes of a region: depth first from those that nobody reads, the latest first. The latest is the
   * gradient of the input, so those of the adapter come after it and keep alive what they need until then.
   */
  #runningOrder(nodes: readonly Node[]): Node[] {
    const makers = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)))
    const sourcesOf = (node: Node): Node[] => [...new Set([...this.#operandsOf(node)].flatMap((value) => makers.get(value) ?? []))]
    const read = new Set(nodes.flatMap(sourcesOf))
    const pending = nodes.filter((node) => !read.has(node))
    const entered = new Set<Node>()
    const ordered = new Set<Node>()
    for (let node = pending.at(-1); node !== undefined; node = pending.at(-1)) {
      if (entered.has(node)) {
        ordered.add(node)
        pending.pop()
        continue
      }
      entered.add(node)
      pending.push(...sourcesOf(node).filter((source) => !entered.has(source)).sort((a, b) => a.order - b.order))
    }
    return [...ordered]
  }

  /** Everything a node reads, an If for its branches too. */
  #operandsOf(node: Node): ReadonlySet<Value> {
    const known = this.#operands.get(node)
    if (known !== undefined) return known
    const branches = node.operator === 'If' ? [node.attributes.then, node.attributes.else] : []
    const captured = branches.flatMap((branch) => [
      ...branch.results,
      ...(this.#nodes.get(branch) ?? []).flatMap((inner) => [...this.#operandsOf(inner)]),
    ])
    const operands = new Set([...node.inputs.filter((value) => value !== undefined), ...captured])
    this.#operands.set(node, operands)
    return operands
  }

  /** The CPU computes in float32 whatever the type. */
  #bytesOf({ dtype, shape }: Value): number {
    const width = dtype === 'float16' && this.#conditions.device === 'cpu' ? Float32Array.BYTES_PER_ELEMENT : bytesPerElement(dtype)
    return width * elementCount(shape)
  }
}

function grouped(nodes: readonly Node[]): ReadonlyMap<Region, readonly Node[]> {
  const groups = new Map<Region, Node[]>()
  for (const node of nodes) {
    const group = groups.get(node.region)
    if (group === undefined) groups.set(node.region, [node])
    else group.push(node)
  }
  return groups
}

/** The value whose bytes these are. */
function owner(value: Value): Value {
  const { source } = value
  const original = source.kind === 'node' && source.node.operator === 'Reshape' ? source.node.inputs[0] : undefined
  return original === undefined ? value : owner(original)
}
