import type { Scope, Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import type { Module } from './module.ts'
import { transformerBlock, type TransformerBlockOptions } from './transformer-block.ts'

/** Fixed in diffusers, whatever the UNet's own norm_eps. */
const NORM_EPSILON = 1e-6

export interface Transformer2dOptions extends TransformerBlockOptions {
  /** Transformer blocks, one at least. */
  readonly layers: number
  readonly groups: number
  /** proj_in and proj_out are linear layers instead of 1×1 convolutions. */
  readonly useLinearProjection: boolean
}

/**
 * Transformer over the positions of x [b, c, h, w] with context [b, m, d], added to x. Each transformer block is a segment;
 * the projection in goes with the first and the projection out with the last, since neither leaves anything worth keeping.
 */
export function transformer2d(m: Module, x: Value, context: Value, options: Transformer2dOptions): Value {
  let h = x
  for (let i = 0; i < options.layers; i++) {
    const name = `transformer_blocks.${i}`
    const segment = m.inSegment(name)
    if (i === 0) h = projectIn(segment, x, options)
    h = transformerBlock(segment.at(name), h, context, options)
    if (i === options.layers - 1) h = ops.add(segment.scope, projectOut(segment, h, x, options), x)
  }
  return h
}

/** [b, c, h, w] → [b, h·w, c] */
function projectIn(m: Module, x: Value, { groups, useLinearProjection }: Transformer2dOptions): Value {
  const channels = x.shape[1] ?? 1
  const normal = m.groupNorm('norm', x, groups, NORM_EPSILON)
  return useLinearProjection
    ? m.linear('proj_in', channelsLast(m.scope, normal), channels)
    : channelsLast(m.scope, m.conv2d('proj_in', normal, channels, { kernel: 1 }))
}

/** [b, h·w, c] → the shape of x, [b, c, h, w] */
function projectOut(m: Module, h: Value, x: Value, { useLinearProjection }: Transformer2dOptions): Value {
  const channels = x.shape[1] ?? 1
  return useLinearProjection
    ? channelsFirst(m.scope, m.linear('proj_out', h, channels), x)
    : m.conv2d('proj_out', channelsFirst(m.scope, h, x), channels, { kernel: 1 })
}

/** [b, c, h, w] → [b, h·w, c] */
export function channelsLast(g: Scope, x: Value): Value {
  const [batch = 1, channels = 1] = x.shape
  return ops.transpose(g, ops.reshape(g, x, [batch, channels, -1]), [0, 2, 1])
}

/** [b, h·w, c] → [b, c, h, w], with height and width of `like` */
export function channelsFirst(g: Scope, x: Value, like: Value): Value {
  const [batch = 1, , channels = 1] = x.shape
  return ops.reshape(g, ops.transpose(g, x, [0, 2, 1]), [batch, channels, ...like.shape.slice(2)])
}
