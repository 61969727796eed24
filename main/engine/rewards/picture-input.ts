import type { Scope, Value } from '../graph/graph.ts'
import { sampleMatrix } from '../graph/onnx/import/resample.ts'
import * as ops from '../graph/ops/index.ts'

/** How pictures are brought into the form that a model was trained on. */
export interface PictureInput {
  /** What the model takes. */
  readonly height: number
  readonly width: number
  /** `crop` scales both sides alike and keeps the middle of what is too long, `stretch` scales each side by itself. */
  readonly fit: 'crop' | 'stretch'
  /** Per channel: the model sees (x − mean) / std. */
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
  /** Limits numbers to [0, 1] as saving the picture would; where a picture lies outside it has no gradient then. */
  readonly clamp: boolean
}

/**
 * Pictures [b, 3, h, w] in [0, 1] as a model takes them, [b, 3, height, width]; differentiable, float32.
 *
 * Resizing is separable and linear, so it is two matrix products, Y = Aᵀ X B with one constant matrix per side: exactly PIL's bicubic
 * resampling (Keys' kernel with a = −1/2, widened when a side shrinks), which CLIP's processor uses, but for PIL's rounding to bytes.
 */
export function pictureInput(g: Scope, pictures: Value, input: PictureInput): Value {
  const limited = (x: Value): Value => (input.clamp ? ops.clip(g, x, 0, 1) : x)
  const [, , height = 1, width = 1] = pictures.shape
  // The scale of both sides, as a fraction, so that the rounding is that of whole numbers.
  const [target, side] = input.height * width >= input.width * height ? [input.height, height] : [input.width, width]
  const scaled = (size: number, wanted: number): number =>
    input.fit === 'stretch' ? wanted : Math.max(wanted, Math.floor((size * target) / side))
  const x = limited(pictures)
  // A cubic kernel overshoots at edges; PIL goes along the width first, and limits after each side.
  const wide = alongWidth(g, x, scaled(width, input.width), input.width)
  const narrow = wide === x ? x : limited(wide)
  const tall = alongHeight(g, narrow, scaled(height, input.height), input.height)
  return normalised(g, tall === narrow ? narrow : limited(tall), input)
}

function alongWidth(g: Scope, x: Value, resized: number, kept: number): Value {
  const size = x.shape[3] ?? 1
  return resized === size && kept === size ? x : ops.matMul(g, x, ops.constant(g, 'float32', [size, kept], cropped(size, resized, kept)))
}

function alongHeight(g: Scope, x: Value, resized: number, kept: number): Value {
  const size = x.shape[2] ?? 1
  if (resized === size && kept === size) return x
  const matrix = cropped(size, resized, kept)
  const transposed = Array.from({ length: kept * size }, (_, i) => matrix[(i % size) * kept + Math.floor(i / size)] ?? 0)
  return ops.matMul(g, ops.constant(g, 'float32', [kept, size], transposed), x)
}

/** The matrix [size, kept], row-major, that resizes an axis to `resized` elements and keeps `kept` in the middle. */
function cropped(size: number, resized: number, kept: number): number[] {
  const whole = sampleMatrix({
    size,
    target: resized,
    scale: resized / size,
    mode: 'cubic',
    coordinates: 'half_pixel',
    rounding: 'floor',
    cubicA: -0.5,
    excludeOutside: true,
    antialias: true,
  })
  const start = Math.floor((resized - kept) / 2)
  return Array.from({ length: size * kept }, (_, i) => whole[Math.floor(i / kept) * resized + start + (i % kept)] ?? 0)
}

function normalised(g: Scope, x: Value, { mean, std }: PictureInput): Value {
  const perChannel = (numbers: readonly number[]): Value => ops.constant(g, 'float32', [1, 3, 1, 1], numbers)
  const factors = std.map((deviation) => 1 / deviation)
  const offsets = mean.map((average, channel) => -average / (std[channel] ?? 1))
  return ops.add(g, ops.mul(g, x, perChannel(factors)), perChannel(offsets))
}
