/**
 * Most memory of a network's gradient on the micro model, beside what was told beforehand, in a process of its own:
 * `node --expose-gc network-memory.ts unet|decoder SIZE BATCH RECOMPUTATION` prints { told, measured } in bytes. Linux only.
 */
import { join } from 'node:path'
import { openCheckpoint } from '../../native-models/checkpoint/open-checkpoint.ts'
import { buildUnet } from '../../native-models/unet.ts'
import { buildVaeDecoder } from '../../native-models/vae.ts'
import type { Graph } from '../../main/engine/graph/graph.ts'
import { DifferentiableNetwork } from '../../main/engine/networks/differentiable-network.ts'
import { maxScoreElements } from '../../main/engine/networks/recomputation.ts'
import { requireComponent } from '../../main/engine/pipeline/require-component.ts'
import { trainedSlot } from '../../main/engine/pipeline/trained-adapter.ts'
import { Recomputation } from '../../main/engine/protocol.ts'
import { peakMemory, resetPeakMemory, residentMemory } from '../../main/engine/runtime/memory.ts'
import { elementCount, type Shape } from '../../main/engine/tensor/shape.ts'
import { float32 } from '../../main/engine/tensor/tensor.ts'
import { isTarget } from '../../main/engine/training/adapter-targets.ts'
import { decoderBytes, unetBytes } from '../../main/engine/training/update-memory.ts'

const [network, size = '64', batch = '1', how] = process.argv.slice(2)
const place = {
  device: 'cpu',
  precision: 'float32',
  batch: Number(batch),
  latentHeight: Number(size),
  latentWidth: Number(size),
  trained: { rank: 4, alpha: 4, target: (path: string) => isTarget(['attention'], path) },
  recomputation: Recomputation.parse(how),
} as const
const checkpoint = await openCheckpoint(join(import.meta.dirname, 'sd15-micro'))
const options = { ...place, maxScoreElements: maxScoreElements('cpu') }

function decoder(): { graph: Graph; output: string; wrt: string[] } {
  const { config, weights } = requireComponent(checkpoint, 'vae')
  return { graph: buildVaeDecoder(config, weights, { ...options, batch: 1 }).graph, output: 'pixels', wrt: ['latents'] }
}

function unet(): { graph: Graph; output: string; wrt: string[] } {
  const { config, weights } = requireComponent(checkpoint, 'unet')
  const { graph, adapterTargets } = buildUnet(config, weights, { ...options, textLength: 77, adapters: [trainedSlot(place.trained)] })
  return { graph, output: 'output', wrt: ['sample', ...adapterTargets.flatMap(({ down, up }) => [down.input, up.input])] }
}

const filled = (shape: Shape) => float32(shape, Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i)))

const told = network === 'unet' ? unetBytes(checkpoint, place, true) : decoderBytes(checkpoint, place, true)
const { graph, output, wrt } = network === 'unet' ? unet() : decoder()
const inputs = Object.fromEntries(graph.inputs.map(({ name, shape }) => [name, filled(shape)]))
const upstream = { [output]: filled(graph.outputs.get(output)?.shape ?? []) }
// One thread: more of them take turns with whatever else runs, and hardly change the memory.
const made = await DifferentiableNetwork.create(graph, { ...place, outputs: [output], wrt, threads: 1 })
globalThis.gc?.()
resetPeakMemory()
const { total, mappedFiles = 0 } = residentMemory()
await made.vjp(inputs, upstream)
const measured = peakMemory() - (residentMemory().mappedFiles ?? 0) - (total - mappedFiles)
console.log(JSON.stringify({ told, measured }))
await made.dispose()
