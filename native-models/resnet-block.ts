import type { Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import type { Module } from './module.ts'

export interface ResnetBlockOptions {
  /** Channels it puts out; with another number coming in, the shortcut is a 1×1 convolution. */
  readonly channels: number
  readonly groups: number
  readonly epsilon: number
  /** Joined to x along the channels: a UNet's skip connection. */
  readonly skip?: Value
  /** Time embedding [b, …] after its activation. */
  readonly time?: Value
  /** What the sum is divided by. */
  readonly scaleFactor?: number
}

/**
 * Residual block: x + conv2(silu(norm2(conv1(silu(norm1(x))) + time_emb_proj(time)))) for x [b, c, h, w]. It is one segment,
 * and the joined skip connection is inside it, so that the joined tensor is not kept.
 */
export function resnetBlock(parent: Module, name: string, x: Value, options: ResnetBlockOptions): Value {
  const { channels, groups, epsilon, skip, time, scaleFactor = 1 } = options
  const m = parent.segment(name)
  const g = m.scope
  const input = skip === undefined ? x : ops.concat(g, [x, skip], 1)
  let h = ops.silu(g, m.groupNorm('norm1', input, groups, epsilon))
  h = m.conv2d('conv1', h, channels, { kernel: 3, padding: 1 })
  if (time !== undefined) {
    const shift = m.linear('time_emb_proj', time, channels)
    h = ops.add(g, h, ops.reshape(g, shift, [-1, channels, 1, 1]))
  }
  h = ops.silu(g, m.groupNorm('norm2', h, groups, epsilon))
  h = m.conv2d('conv2', h, channels, { kernel: 3, padding: 1 })
  const shortcut = input.shape[1] === channels ? input : m.conv2d('conv_shortcut', input, channels, { kernel: 1 })
  return ops.scale(g, ops.add(g, shortcut, h), 1 / scaleFactor)
}
