/**
 * LoRA as data. A module adds a low-rank term to one linear layer or convolution:
 *
 *   y = W x + (alpha / rank) · B A x
 *
 * (Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021). For a k×k convolution A is the k×k convolution
 * to `rank` channels and B the 1×1 convolution from there.
 */
import { HalfstepError } from '../errors.ts'
import { elementCount, formatShape, sameShape, type Shape } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** The network of a Stable Diffusion model that a module belongs to. */
export type AdapterComponent = 'unet' | 'textEncoder' | 'textEncoder2'

export interface LoraModule {
  readonly component: AdapterComponent
  /** diffusers' module path inside its component, such as `down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q`. */
  readonly path: string
  /** A: [rank, in], or [rank, in, kh, kw] for a convolution. */
  readonly down: FloatTensor
  /** B: [out, rank], or [out, rank, 1, 1] for a convolution. */
  readonly up: FloatTensor
  readonly alpha: number
}

export interface Adapter {
  readonly modules: readonly LoraModule[]
  /** The header of the file it came from: title, training settings and the like. */
  readonly metadata: Readonly<Record<string, string>>
}

/** r, the inner dimension of B A. */
export function rankOf(module: LoraModule): number {
  return module.down.shape[0] ?? 0
}

/** The factor alpha / rank before B A. */
export function scaleOf(module: LoraModule): number {
  return module.alpha / rankOf(module)
}

/** Names a module within a model: `unet.mid_block.attentions.0.proj_in`. */
export function moduleKey(module: Pick<LoraModule, 'component' | 'path'>): string {
  return `${module.component}.${module.path}`
}

/** The shape of the weight W that the module adapts: [out, in] or [out, in, kh, kw]. */
export function weightShapeOf(module: LoraModule): Shape {
  return [module.up.shape[0] ?? 0, ...module.down.shape.slice(1)]
}

/** The change of W in full: (alpha / rank) · B A, in the shape of W. Accumulated in double precision. */
export function deltaOf(module: LoraModule): FloatTensor {
  const shape = weightShapeOf(module)
  const rank = rankOf(module)
  const scale = scaleOf(module)
  const rows = shape[0] ?? 0
  const columns = elementCount(shape.slice(1))
  const delta = new Float32Array(rows * columns)
  const sums = new Float64Array(columns)
  for (let row = 0; row < rows; row++) {
    sums.fill(0)
    for (let k = 0; k < rank; k++) {
      const b = scale * (module.up.data[row * rank + k] ?? 0)
      for (let column = 0; column < columns; column++) {
        sums[column] = (sums[column] ?? 0) + b * (module.down.data[k * columns + column] ?? 0)
      }
    }
    delta.set(sums, row * columns)
  }
  return float32(shape, delta)
}

/**
 * Throws `adapter.malformed` when the two factors cannot belong together: A and B of a linear layer, or A of a
 * convolution with a 1×1 B, of the same rank ≥ 1, and a finite alpha.
 */
export function checkModule(module: LoraModule, source: string): void {
  const fault = faultOf(module)
  if (fault === undefined) return
  throw new HalfstepError(
    'adapter.malformed',
    `${source} holds a broken module ${moduleKey(module)}: ${fault}.`,
    'Export the adapter again with the tool that made it.',
    { file: source, module: moduleKey(module) },
  )
}

function faultOf(module: LoraModule): string | undefined {
  const { down, up, alpha } = module
  if (down.shape.length !== 2 && down.shape.length !== 4) return `its down weight has the shape ${formatShape(down.shape)}`
  const rank = rankOf(module)
  const expected = down.shape.length === 2 ? [rank] : [rank, 1, 1]
  if (!sameShape(up.shape.slice(1), expected)) {
    return `its up weight ${formatShape(up.shape)} does not fit its down weight ${formatShape(down.shape)}`
  }
  if (elementCount(down.shape) === 0 || elementCount(up.shape) === 0) return 'one of its weights is empty'
  return Number.isFinite(alpha) ? undefined : `its alpha is ${alpha}`
}
