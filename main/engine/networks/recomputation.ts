import { bytesPerElement } from '../tensor/dtype.ts'
import { elementCount } from '../tensor/shape.ts'
import { nodesFor, type Graph, type Segment } from '../graph/graph.ts'
import { deviceMemory } from '../runtime/memory.ts'
import type { Device, Recomputation } from '../protocol.ts'

/** The share of the free memory that kept activations may take; the rest is for workspaces, other networks, other programs. */
const SHARE = 0.5

/**
 * Which segments of a forward graph to recompute on a device. Attention chunks are the segments nested in others; they are
 * always recomputed. For `auto`, a device that does not tell its memory gets `blocks`.
 */
export async function recomputedSegments(
  graph: Graph,
  recomputation: Recomputation,
  device: Device,
): Promise<(segment: Segment) => boolean> {
  const kept = recomputation === 'auto' ? await fits(graph, device) : recomputation === 'attention'
  return kept ? (segment) => segment.parent !== undefined : () => true
}

/** Bytes of everything the forward pass would keep if only nested segments were recomputed. An upper bound: not all is needed. */
export function keptActivationBytes(graph: Graph): number {
  const kept = nodesFor(graph.outputs.values()).filter(({ operator, segment }) => operator !== 'Reshape' && segment?.parent === undefined)
  return kept.flatMap(({ outputs }) => outputs).reduce((sum, { dtype, shape }) => sum + bytesPerElement(dtype) * elementCount(shape), 0)
}

async function fits(graph: Graph, device: Device): Promise<boolean> {
  const memory = await deviceMemory(device)
  return memory !== undefined && keptActivationBytes(graph) <= SHARE * (memory.totalBytes - memory.usedBytes)
}

/**
 * Most elements of one attention score tensor. On the CPU chunks that fit the caches cost nothing (SD 1.5 at 64×64: the same
 * time with 32 chunks as with 8, and a quarter less memory); WebGPU binds at most 128 MiB at once; the others have room.
 */
export function maxScoreElements(device: Device): number {
  if (device === 'cpu') return 2 ** 22
  return device === 'webgpu' ? 2 ** 24 : 2 ** 26
}
