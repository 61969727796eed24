import type { Value } from '../main/engine/graph/graph.ts'
import type { UnetBlockConfig, UnetConfig, UnetMidBlockConfig } from './checkpoint/unet-config.ts'
import type { Module } from './module.ts'
import { downsample, upsample } from './resample.ts'
import { resnetBlock, type ResnetBlockOptions } from './resnet-block.ts'
import { transformer2d } from './transformer-2d.ts'

/** What every block of a UNet sees. */
export interface UnetContext {
  readonly config: UnetConfig
  /** Time embedding [b, timeEmbedDim], activated. */
  readonly time: Value
  /** Text condition [b, n, d]. */
  readonly text: Value
}

/** Residual layers, each with its transformer, then a downsampler: the value after each of them is a skip connection. */
export function downBlock(m: Module, x: Value, block: UnetBlockConfig, context: UnetContext): Value[] {
  const outputs: Value[] = []
  let h = x
  for (let i = 0; i < block.layers; i++) {
    h = resnetBlock(m, `resnets.${i}`, h, resnetOptions(block.channels, context))
    if (block.kind === 'cross-attention') h = transformer(m.at(`attentions.${i}`), h, block, context)
    outputs.push(h)
  }
  if (block.resamples) outputs.push(downsample(m, 'downsamplers.0', h, context.config.downsamplePadding))
  return outputs
}

export function midBlock(m: Module, x: Value, block: UnetMidBlockConfig, context: UnetContext): Value {
  if (block.kind === 'none') return x
  const options = { ...resnetOptions(block.channels, context), scaleFactor: block.scaleFactor }
  const h = resnetBlock(m, 'resnets.0', x, options)
  if (block.kind === 'plain') return h
  const attended = transformer(m.at('attentions.0'), h, { ...block, onlyCrossAttention: false }, context)
  return resnetBlock(m, 'resnets.1', attended, options)
}

/**
 * Residual layers that each take the last of `skips` away, each with its transformer, then an upsampler to the size of the
 * next skip connection.
 */
export function upBlock(m: Module, x: Value, skips: Value[], block: UnetBlockConfig, context: UnetContext): Value {
  let h = x
  for (let i = 0; i < block.layers; i++) {
    const skip = skips.pop()
    h = resnetBlock(m, `resnets.${i}`, h, { ...resnetOptions(block.channels, context), ...(skip === undefined ? {} : { skip }) })
    if (block.kind === 'cross-attention') h = transformer(m.at(`attentions.${i}`), h, block, context)
  }
  if (!block.resamples) return h
  const [, , height = 1, width = 1] = skips.at(-1)?.shape ?? []
  return upsample(m, 'upsamplers.0', h, [height, width])
}

function resnetOptions(channels: number, { config, time }: UnetContext): ResnetBlockOptions {
  return { channels, groups: config.normGroups, epsilon: config.normEps, time }
}

function transformer(
  m: Module,
  x: Value,
  block: Pick<UnetBlockConfig, 'heads' | 'transformerLayers' | 'onlyCrossAttention'>,
  { config, text }: UnetContext,
): Value {
  return transformer2d(m, x, text, {
    heads: block.heads,
    layers: block.transformerLayers,
    groups: config.normGroups,
    useLinearProjection: config.useLinearProjection,
    onlyCrossAttention: block.onlyCrossAttention,
    upcastAttention: config.upcastAttention,
  })
}
