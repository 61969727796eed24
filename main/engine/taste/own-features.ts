import { Random } from '../random/random.ts'
import type { Scope, Value } from '../graph/graph.ts'
import * as ops from '../graph/ops/index.ts'

/** Side of the pictures that the features are of. */
export const OWN_SIDE = 64

/** Part of what a saved taste means: never change it. */
const SEED = 7001
const FIRST = { channels: 24, kernel: 5, padding: 2 } as const
const SECOND = { channels: 48, kernel: 3, padding: 1 } as const
/** Cells per side that colours and shapes are told apart by. */
const COLOUR_CELLS = 4
const SHAPE_CELLS = 2

/** How many numbers stand for a picture. */
export const OWN_FEATURES = 3 * COLOUR_CELLS ** 2 + 3 + FIRST.channels + SECOND.channels * SHAPE_CELLS ** 2

/**
 * What a taste sees of pictures [b, 3, 64, 64] in [0, 1] where there is no CLIP model, [b, OWN_FEATURES]; differentiable. Colours
 * by place (4 × 4 means), contrast (variance of each channel), and two layers of convolutions with fixed random weights, whose
 * responses keep pictures apart about as well as trained ones do for a linear head (Rahimi and Recht 2007; Saxe et al. 2011).
 */
export function ownFeatures(g: Scope, pictures: Value): Value {
  const [batch = 1] = pictures.shape
  const flat = (x: Value, count: number): Value => ops.reshape(g, x, [batch, count])
  const cells = (x: Value, side: number, perSide: number, channels: number): Value => {
    const size = side / perSide
    return flat(ops.averagePool(g, x, [size, size], { strides: [size, size] }), channels * perSide ** 2)
  }
  const mean = ops.mean(g, pictures, [2, 3], true)
  const deviation = ops.sub(g, pictures, mean)
  const contrast = flat(ops.mean(g, ops.mul(g, deviation, deviation), [2, 3]), 3)
  const first = ops.relu(g, randomConv(g, deviation, FIRST, 0))
  const second = ops.relu(g, randomConv(g, first, SECOND, 1))
  return ops.concat(
    g,
    [
      cells(pictures, OWN_SIDE, COLOUR_CELLS, 3),
      contrast,
      flat(ops.mean(g, first, [2, 3]), FIRST.channels),
      cells(second, OWN_SIDE / 4, SHAPE_CELLS, SECOND.channels),
    ],
    1,
  )
}

interface Layer {
  readonly channels: number
  readonly kernel: number
  readonly padding: number
}

/** A convolution of stride 2 whose weights are normal with variance 2 / fan-in (He et al. 2015). */
function randomConv(g: Scope, x: Value, { channels, kernel, padding }: Layer, index: number): Value {
  const inputs = x.shape[1] ?? 1
  const shape = [channels, inputs, kernel, kernel]
  const size = Math.sqrt(2 / (inputs * kernel ** 2))
  const numbers = [...new Random(SEED).normal('initialisation', [index], shape).data].map((value) => size * value)
  const pads = [padding, padding, padding, padding] as const
  return ops.conv(g, x, ops.constant(g, 'float32', shape, numbers), undefined, { strides: [2, 2], pads })
}
