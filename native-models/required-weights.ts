import type { ClipTextConfig } from './checkpoint/clip-text-config.ts'
import type { ClipVisionConfig } from './checkpoint/clip-vision-config.ts'
import type { UnetConfig } from './checkpoint/unet-config.ts'
import type { VaeConfig } from './checkpoint/vae-config.ts'
import { buildClipText } from './clip-text.ts'
import { buildClipVision } from './clip-vision.ts'
import type { Parameter } from './module.ts'
import { buildUnet } from './unet.ts'
import { buildVaeDecoder, buildVaeEncoder } from './vae.ts'
import { weightSource } from './weights/weight-source.ts'

/**
 * Names and shapes of all weights a network needs, in the order it uses them. A network all of whose weights are to be trained
 * takes every one of them as an input and none from a file: building it tells.
 */
const everything = { batch: 1, trainable: () => true }
const nothing = weightSource('(no file)', [])

export function unetWeights(config: UnetConfig): readonly Parameter[] {
  const size = 2 ** (config.downBlocks.length - 1)
  return buildUnet(config, nothing, { ...everything, latentHeight: size, latentWidth: size, textLength: 1 }).parameters
}

export function clipTextWeights(config: ClipTextConfig): readonly Parameter[] {
  return buildClipText(config, nothing, { ...everything, textLength: 1 }).parameters
}

export function clipVisionWeights(config: ClipVisionConfig): readonly Parameter[] {
  return buildClipVision(config, nothing, everything).parameters
}

/** Those of the encoder, then those of the decoder. */
export function vaeWeights(config: VaeConfig): readonly Parameter[] {
  const size = 2 ** (config.blockOutChannels.length - 1)
  const encoder = buildVaeEncoder(config, nothing, { ...everything, height: size, width: size })
  const decoder = buildVaeDecoder(config, nothing, { ...everything, latentHeight: 1, latentWidth: 1 })
  return [...encoder.parameters, ...decoder.parameters]
}
