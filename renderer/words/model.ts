import type { DeviceRecord, Model } from '../../main/ipc/contract.ts'
import { byteWords, countWords } from './size.ts'

const FAMILIES: Readonly<Record<Model['summary']['family'], string>> = {
  sd1: 'Stable Diffusion 1',
  sd2: 'Stable Diffusion 2',
  sdxl: 'Stable Diffusion XL',
}

export function familyWords(model: Pick<Model, 'summary'>): string {
  return FAMILIES[model.summary.family]
}

const PRECISIONS: Readonly<Record<string, string>> = {
  float16: 'half precision',
  bfloat16: 'half precision (bfloat16)',
  float32: 'full precision',
}

/** What most of the weights are stored in. */
export function precisionWords({ summary }: Pick<Model, 'summary'>): string {
  const bytes = new Map<string, number>()
  for (const { precision } of summary.components) {
    for (const [type, count] of Object.entries(precision)) bytes.set(type, (bytes.get(type) ?? 0) + count)
  }
  const [most] = [...bytes].sort(([, a], [, b]) => b - a)
  return most === undefined ? 'unknown precision' : (PRECISIONS[most[0]] ?? most[0])
}

/** `Stable Diffusion 1 · half precision · 2.1 GB · 1.1 billion numbers`. */
export function modelWords(model: Pick<Model, 'summary' | 'bytes' | 'parameters'>): string {
  return [familyWords(model), precisionWords(model), byteWords(model.bytes), `${countWords(model.parameters)} weights`].join(' · ')
}

/** The size of the pictures a model was trained on, `512 × 512`; undefined where its config does not say. */
export function pictureSizeWords({ summary }: Pick<Model, 'summary'>): string | undefined {
  const [, height, width] = summary.latentSize ?? []
  return height == null || width == null ? undefined : `${width * LATENT_STRIDE} × ${height * LATENT_STRIDE}`
}

/** Pixels along a latent's side, in all these families. */
const LATENT_STRIDE = 8

export interface Fit {
  readonly tone: 'good' | 'warning' | 'danger'
  readonly words: string
}

/** Room beside the weights for activations and the runtime itself: a guess that was not measured, which is why the badge is only a hint. */
const ROOM_BYTES = 1.5e9

/**
 * Whether a model fits a device's memory: its weights in the precision the device computes in, and some room. A first guess from sizes
 * alone; the estimate before a run measures. Undefined where the device does not tell its memory.
 */
export function fitOf({ parameters }: Pick<Model, 'parameters'>, device: DeviceRecord): Fit | undefined {
  if (device.memoryBytes === null) return undefined
  const needed = parameters * (device.float16 ? 2 : 4) + ROOM_BYTES
  const name = device.name ?? 'this device'
  if (needed > device.memoryBytes) return { tone: 'danger', words: `Too large for ${name}` }
  return needed > 0.8 * device.memoryBytes ? { tone: 'warning', words: `Tight on ${name}` } : { tone: 'good', words: `Fits ${name}` }
}
