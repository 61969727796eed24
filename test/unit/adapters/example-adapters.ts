/** Small adapters for tests: random, but the same on every run. */
import type { Adapter, AdapterComponent, LoraModule } from '../../../main/engine/adapters/lora.ts'
import { elementCount, type Shape } from '../../../main/engine/tensor/shape.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'

/** Numbers in (-1, 1) from a 32-bit linear congruence (Numerical Recipes). */
export function randomTensor(shape: Shape, seed: number): FloatTensor {
  let state = (seed * 2654435761 + 1) >>> 0
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 23 - 1
  }
  return float32(shape, Float32Array.from({ length: elementCount(shape) }, next))
}

export interface ModuleOptions {
  readonly rank?: number
  readonly alpha?: number
  readonly seed?: number
}

/** A module for a weight of this shape: [out, in] or [out, in, kh, kw]. */
export function randomModule(
  component: AdapterComponent,
  path: string,
  [out = 1, ...rest]: Shape,
  { rank = 2, alpha = rank, seed = 1 }: ModuleOptions = {},
): LoraModule {
  const kernel = rest.length === 3 ? [1, 1] : []
  return {
    component,
    path,
    down: randomTensor([rank, ...rest], seed),
    up: randomTensor([out, rank, ...kernel], seed + 1000),
    alpha,
  }
}

const BLOCK = 'down_blocks.1.attentions.0.transformer_blocks.0'

/** An SD 1.x adapter of every kind of layer, with one rank and alpha. */
export function sd1Adapter(options: ModuleOptions = {}): Adapter {
  return {
    metadata: {},
    modules: [
      randomModule('unet', 'conv_in', [8, 4, 3, 3], options),
      randomModule('unet', 'time_embedding.linear_1', [32, 8], options),
      randomModule('unet', `${BLOCK}.attn1.to_q`, [16, 16], options),
      randomModule('unet', `${BLOCK}.attn1.to_out.0`, [16, 16], options),
      randomModule('unet', `${BLOCK}.attn2.to_k`, [16, 768], options),
      randomModule('unet', `${BLOCK}.ff.net.0.proj`, [128, 16], options),
      randomModule('unet', `${BLOCK}.ff.net.2`, [16, 64], options),
      randomModule('unet', 'down_blocks.1.attentions.0.proj_in', [16, 16, 1, 1], options),
      randomModule('unet', 'down_blocks.0.downsamplers.0.conv', [8, 8, 3, 3], options),
      randomModule('unet', 'mid_block.resnets.1.time_emb_proj', [16, 32], options),
      randomModule('unet', 'up_blocks.3.resnets.10.conv_shortcut', [8, 16, 1, 1], options),
      randomModule('textEncoder', 'text_model.encoder.layers.11.self_attn.q_proj', [12, 12], options),
      randomModule('textEncoder', 'text_model.encoder.layers.2.mlp.fc1', [48, 12], options),
    ],
  }
}

/** An SDXL adapter with both text encoders. */
export function sdxlAdapter(options: ModuleOptions = {}): Adapter {
  return {
    metadata: {},
    modules: [
      randomModule('unet', 'add_embedding.linear_1', [32, 28], options),
      randomModule('unet', 'down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_v', [16, 2048], options),
      randomModule('textEncoder', 'text_model.encoder.layers.0.self_attn.out_proj', [12, 12], options),
      randomModule('textEncoder2', 'text_model.encoder.layers.31.mlp.fc2', [20, 80], options),
      randomModule('textEncoder2', 'text_projection', [20, 20], options),
    ],
  }
}

/** The modules by name, to compare adapters whatever their order. */
export function byName(adapter: Adapter): Map<string, LoraModule> {
  return new Map(adapter.modules.map((module) => [`${module.component} ${module.path}`, module]))
}

/** ‖a − b‖ / ‖b‖ */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0
  let size = 0
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] ?? NaN) - (b[i] ?? NaN)) ** 2
    size += (b[i] ?? NaN) ** 2
  }
  return Math.sqrt(difference / size)
}
