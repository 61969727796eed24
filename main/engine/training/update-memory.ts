/** What an update will take: weights from their headers, networks from graphs that are built for it and never run. */
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { buildUnet } from '../../../native-models/unet.ts'
import { buildVaeDecoder } from '../../../native-models/vae.ts'
import { allEntries } from '../../../native-models/weights/weight-source.ts'
import { networkBytes } from '../networks/activation-memory.ts'
import { maxScoreElements } from '../networks/recomputation.ts'
import { requireComponent } from '../pipeline/require-component.ts'
import type { PipelineOptions } from '../pipeline/stable-diffusion.ts'
import { trainedSlot } from '../pipeline/trained-adapter.ts'
import type { Device, Precision } from '../protocol.ts'
import { elementCount } from '../tensor/shape.ts'

type Place = Pick<PipelineOptions, 'device' | 'precision' | 'batch' | 'latentHeight' | 'latentWidth' | 'trained' | 'recomputation'>

/** Float32 vectors of θ's size that a run holds: θ, gradient, two moments, average, and the next θ and moments of an update. */
const VECTORS = 8

/** What must be in memory whatever happens: the weights that every update needs, and θ with what the optimizer keeps. */
export function bytesAtLeast(
  { components }: Checkpoint,
  { precision }: { readonly precision: Precision },
  device: Device,
  parameters: number,
): number {
  const entries = [components.unet, components.vae].flatMap((component) => (component === undefined ? [] : allEntries(component.weights)))
  // On the CPU weights stay mapped from their files, in the type they have there.
  const perWeight = precision === 'float16' ? 2 : 4
  const weights = entries.reduce((sum, { shape, byteLength }) => sum + (device === 'cpu' ? byteLength : perWeight * elementCount(shape)), 0)
  return weights + VECTORS * 4 * parameters
}

/**
 * Bytes that the UNet takes beside its weights. With `auto` those of `blocks`, which it comes down to where memory is short.
 * @param backward whether its gradient is asked for
 */
export function unetBytes(checkpoint: Checkpoint, place: Place, backward: boolean): number {
  const { config, weights } = requireComponent(checkpoint, 'unet')
  const { graph, adapterTargets } = buildUnet(config, weights, {
    ...place,
    compute: place.precision,
    maxScoreElements: maxScoreElements(place.device),
    textLength: requireComponent(checkpoint, 'textEncoder').config.maxPositions,
    adapters: place.trained === undefined ? [] : [trainedSlot(place.trained)],
  })
  const wrt = ['sample', ...adapterTargets.flatMap(({ down, up }) => [down.input, up.input])]
  return networkBytes(graph, { ...howToRun(place), output: 'output', wrt, backward })
}

/** The same for the decoder, which takes one sample at a time. @param backward whether the reward's gradient goes through it */
export function decoderBytes(checkpoint: Checkpoint, place: Place, backward: boolean): number {
  const { config, weights } = requireComponent(checkpoint, 'vae')
  const compute: Precision = config.forceUpcast ? 'float32' : place.precision
  const options = { ...place, batch: 1, compute, maxScoreElements: maxScoreElements(place.device) }
  const { graph } = buildVaeDecoder(config, weights, options)
  return networkBytes(graph, { ...howToRun(place), output: 'pixels', wrt: ['latents'], backward })
}

function howToRun({ device, recomputation }: Place): Pick<Parameters<typeof networkBytes>[1], 'device' | 'recompute'> {
  return { device, recompute: (segment) => recomputation !== 'attention' || segment.parent !== undefined }
}
