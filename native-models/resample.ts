import { shapeError, type Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import type { Module } from './module.ts'

/**
 * Halves height and width of x [b, c, h, w] by a 3×3 convolution of stride 2. Padding 0 stands for one row and column at
 * the bottom and right only, as diffusers has it.
 */
export function downsample(parent: Module, name: string, x: Value, padding: number): Value {
  const m = parent.segment(name)
  return m.conv2d('conv', x, x.shape[1] ?? 1, { kernel: 3, stride: 2, padding: padding === 0 ? [0, 0, 1, 1] : padding })
}

/**
 * Doubles height and width of x [b, c, h, w] by repetition, then convolves 3×3. An odd `size` is reached by dropping the
 * last row or column, which is what nearest-neighbour sampling from ⌈size/2⌉ to size comes to.
 */
export function upsample(parent: Module, name: string, x: Value, size?: readonly [height: number, width: number]): Value {
  const m = parent.segment(name)
  const g = m.scope
  const [, channels = 1, height = 1, width = 1] = x.shape
  const [targetHeight, targetWidth] = size ?? [2 * height, 2 * width]
  if (height !== Math.ceil(targetHeight / 2) || width !== Math.ceil(targetWidth / 2)) {
    throw shapeError(g, 'Upsample', [x], `${targetHeight}×${targetWidth} is not twice its height and width`)
  }
  const doubled = ops.resize(g, x, [2 * height, 2 * width], 'nearest')
  const exact = ops.slice(g, doubled, [2, 3], [0, 0], [targetHeight, targetWidth])
  return m.conv2d('conv', exact, channels, { kernel: 3, padding: 1 })
}
