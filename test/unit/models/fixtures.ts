import { fileURLToPath } from 'node:url'
import type { Graph, Segment } from '../../../main/engine/graph/graph.ts'
import { nodesFor } from '../../../main/engine/graph/graph.ts'
import { Session } from '../../../main/engine/runtime/session.ts'
import { bytesPerElement, type FloatDType } from '../../../main/engine/tensor/dtype.ts'
import { elementCount } from '../../../main/engine/tensor/shape.ts'
import { float32, toFloat32, type FloatTensor, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import type { Shape } from '../../../main/engine/tensor/shape.ts'
import { openSafetensors } from '../../../native-models/weights/safetensors.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { weightSource, type WeightSource } from '../../../native-models/weights/weight-source.ts'

/** Absolute path of a folder or file of the golden cases. */
export function golden(path: string): string {
  return fileURLToPath(new URL(`../../golden/${path}`, import.meta.url))
}

interface NamedShape {
  readonly name: string
  readonly shape: Shape
}

/** Weights that lie one after the other in a file that need not exist, for graphs that are not run. */
export function layout(weights: readonly NamedShape[], dtype: FloatDType = 'float32', transposed: readonly string[] = []): WeightSource {
  let byteOffset = 0
  const entries = weights.map(({ name, shape }) => {
    const byteLength = elementCount(shape) * bytesPerElement(dtype)
    const entry = { name, dtype, shape, file: '/weights.safetensors', byteOffset, byteLength }
    byteOffset += byteLength
    return transposed.includes(name) ? { ...entry, transposed: true as const } : entry
  })
  return weightSource('/weights.safetensors', entries)
}

/** Numbers of about unit size that look random and are always the same. */
export function noise(shape: Shape, seed = 1): FloatTensor {
  const numbers = Array.from({ length: elementCount(shape) }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453
    return 2 * (x - Math.floor(x)) - 1
  })
  return float32(shape, numbers)
}

/** Computes all outputs of a graph on the CPU. */
export async function compute(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const session = await Session.create(graph, { device: 'cpu', threads: 1 })
  try {
    return await session.run(feeds)
  } finally {
    await session.dispose()
  }
}

/** ‖a − b‖ / ‖b‖ */
export function relativeError(a: Tensor | undefined, b: Tensor): number {
  if (a?.data.length !== b.data.length) return Infinity
  const [ours, reference] = [toFloat32(a).data, toFloat32(b).data]
  let difference = 0
  let norm = 0
  reference.forEach((value, i) => {
    difference += ((ours[i] ?? NaN) - value) ** 2
    norm += value ** 2
  })
  return Math.sqrt(difference / norm)
}

/** The tensors of a cases file, by name. */
export async function openCases(file: string): Promise<(name: string) => Promise<Tensor>> {
  const source = await openSafetensors(file)
  return async (name) => {
    const entry = source.find(name)
    if (entry === undefined) throw new Error(`${file} has no ${name}`)
    return await readWeight(entry)
  }
}

/** Paths of the segments whose nodes (their nested segments' included) do not follow one another without a gap. */
export function scatteredSegments(graph: Graph): string[] {
  const ranges = new Map<Segment, { first: number; last: number }>()
  const nodes = nodesFor(graph.outputs.values())
  nodes.forEach((node, i) => {
    for (let segment = node.segment; segment !== undefined; segment = segment.parent) {
      ranges.set(segment, { first: ranges.get(segment)?.first ?? i, last: i })
    }
  })
  const within = (segment: Segment | undefined, outer: Segment): boolean =>
    segment !== undefined && (segment === outer || within(segment.parent, outer))
  const scattered = [...ranges].filter(([segment, { first, last }]) => {
    return !nodes.slice(first, last + 1).every((node) => within(node.segment, segment))
  })
  return scattered.map(([{ path }]) => path)
}

/** Paths of all segments of a graph, in the order of their first nodes. */
export function segmentPaths(graph: Graph): string[] {
  return [...new Set(nodesFor(graph.outputs.values()).flatMap((node) => node.segment?.path ?? []))]
}

/** The paths of the segments that lie in no other. */
export function outerSegmentPaths(graph: Graph): string[] {
  const outermost = (segment: Segment): Segment => (segment.parent === undefined ? segment : outermost(segment.parent))
  return [...new Set(nodesFor(graph.outputs.values()).flatMap(({ segment }) => (segment === undefined ? [] : outermost(segment).path)))]
}
