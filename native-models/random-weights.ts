import { createCipheriv } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HalfstepError } from '../main/engine/errors.ts'
import { elementCount } from '../main/engine/tensor/shape.ts'
import { zeros, type Tensor } from '../main/engine/tensor/tensor.ts'
import { parseClipTextConfig } from './checkpoint/clip-text-config.ts'
import { parseUnetConfig } from './checkpoint/unet-config.ts'
import { parseVaeConfig } from './checkpoint/vae-config.ts'
import type { Parameter } from './module.ts'
import { clipTextWeights, unetWeights, vaeWeights } from './required-weights.ts'
import type { FolderConfigs } from './standard-configs.ts'
import { writeSafetensors } from './weights/safetensors.ts'

export interface RandomModelOptions {
  readonly dtype: 'float32' | 'float16'
  /** Components to write; all that have a config by default. */
  readonly components?: readonly string[]
  readonly seed?: number
}

/** Normal numbers drawn once and handed out in turns: a prime count, so that the rows of a matrix never repeat in step. */
const POOL_SIZE = 1_048_573

/** Offset between the turns of consecutive tensors. */
const POOL_STRIDE = 65_537

/** Spread of embeddings, biases, and of norm scales around 1. */
const SMALL = 0.02

/**
 * Writes a model with random weights in the layout of a diffusers folder, for measurements: it opens like any checkpoint, and
 * its activations stay in range, but it draws nothing. Throws `config.*` for configs that cannot be built, `file.unwritable`.
 */
export async function writeRandomModel(folder: string, configs: FolderConfigs, options: RandomModelOptions): Promise<void> {
  for (const [component, config] of Object.entries(configs)) {
    if (options.components !== undefined && !options.components.includes(component)) continue
    const configFile = join(folder, component, component === 'scheduler' ? 'scheduler_config.json' : 'config.json')
    await mkdir(join(folder, component), { recursive: true })
    await writeFile(configFile, `${JSON.stringify(config, null, 2)}\n`)
    if (component === 'scheduler') continue
    const base = component.startsWith('text_encoder') ? 'model' : 'diffusion_pytorch_model'
    await writeRandomWeights(join(folder, component, `${base}.safetensors`), requiredWeights(component, config, configFile), options)
  }
}

/** Writes the named weights as a .safetensors file, one tensor in memory at a time. The same seed gives the same file. */
export async function writeRandomWeights(
  path: string,
  weights: readonly Parameter[],
  { dtype, seed = 0 }: Pick<RandomModelOptions, 'dtype' | 'seed'>,
): Promise<void> {
  const pool = normals(POOL_SIZE, seed)
  const tensors = weights.map((weight, i) => {
    const read = (): Tensor => randomTensor(weight, dtype, pool, i * POOL_STRIDE)
    return [weight.name, { dtype, shape: weight.shape, read }] as const
  })
  await writeSafetensors(path, tensors)
}

function requiredWeights(component: string, config: unknown, file: string): readonly Parameter[] {
  switch (component) {
    case 'unet':
      return unetWeights(parseUnetConfig(config, file))
    case 'vae':
      return vaeWeights(parseVaeConfig(config, file))
    case 'text_encoder':
    case 'text_encoder_2':
      return clipTextWeights(parseClipTextConfig(config, file))
    default:
      throw new HalfstepError('config.unsupported', `No network is known for the component ${component} (${file}).`)
  }
}

/** mean + deviation · z for consecutive numbers z of the pool, from `start` on and around its end. */
function randomTensor({ name, shape }: Parameter, dtype: 'float32' | 'float16', pool: Float32Array, start: number): Tensor {
  const { mean, deviation } = distributionOf(name, shape)
  const tensor = zeros(dtype, shape)
  const turn = zeros(dtype, [Math.min(POOL_SIZE, elementCount(shape))]).data
  for (let i = 0; i < turn.length; i++) turn[i] = mean + deviation * pool[(start + i) % POOL_SIZE]!
  for (let i = 0; i < tensor.data.length; i += turn.length) tensor.data.set(turn.subarray(0, tensor.data.length - i), i)
  return tensor
}

/** Deviation 1/√(fan-in), so that sums keep the variance of what goes in; norms near the identity. */
function distributionOf(name: string, shape: readonly number[]): { readonly mean: number; readonly deviation: number } {
  if (shape.length === 1) return { mean: name.endsWith('.weight') ? 1 : 0, deviation: SMALL }
  if (shape.length === 2 && name.endsWith('embedding.weight')) return { mean: 0, deviation: SMALL }
  return { mean: 0, deviation: 1 / Math.sqrt(elementCount(shape.slice(1))) }
}

/** Standard normal numbers by Box–Muller, √(−2 ln u) · (cos, sin)(2πv), from the bytes of AES in counter mode keyed by the seed. */
function normals(count: number, seed: number): Float32Array {
  const key = Buffer.alloc(16)
  key.writeDoubleLE(seed)
  const pairs = Math.ceil(count / 2)
  const bytes = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(pairs * 8))
  const result = new Float32Array(pairs * 2)
  for (let i = 0; i < pairs; i++) {
    const radius = Math.sqrt(-2 * Math.log((bytes.readUInt32LE(8 * i) + 1) / 2 ** 32))
    const angle = (2 * Math.PI * bytes.readUInt32LE(8 * i + 4)) / 2 ** 32
    result[2 * i] = radius * Math.cos(angle)
    result[2 * i + 1] = radius * Math.sin(angle)
  }
  return result.subarray(0, count)
}
