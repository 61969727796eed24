import { openSafetensors } from '../../../native-models/weights/safetensors.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { HalfstepError } from '../errors.ts'
import { samplesOf } from '../pipeline/samples.ts'
import { elementCount, formatShape, sameShape } from '../tensor/shape.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'

/** Latents to start from, and perhaps the noise of every step, made by another program. */
export interface GivenLatents {
  /** x_T of each picture, [1, c, h, w]; N(0, I) unless meant otherwise. */
  readonly starts: readonly FloatTensor[]
  /** [steps, b, c, h, w] */
  readonly noise?: FloatTensor
}

/**
 * Reads a .safetensors file with `latents` [b, c, h, w] and perhaps `noise` [steps, b, c, h, w]. Throws `file.*` and `weights.*`
 * for a file that is none, and `latents.malformed` for one without `latents`, of wrong shapes, or with NaN.
 */
export async function readLatents(path: string, channels: number): Promise<GivenLatents> {
  const file = await openSafetensors(path)
  const read = async (name: string): Promise<FloatTensor | undefined> => {
    const entry = file.find(name)
    if (entry === undefined) return undefined
    const tensor = toFloat32(await readWeight(entry))
    if (!tensor.data.every(Number.isFinite)) throw malformed(path, `${name} holds NaN or infinite numbers`)
    return tensor
  }
  const latents = await read('latents')
  if (latents === undefined) throw malformed(path, 'it has no tensor named latents')
  if (latents.shape.length !== 4 || latents.shape[1] !== channels || elementCount(latents.shape) === 0) {
    const taken = `pictures × ${channels} × height × width`
    throw malformed(path, `latents has the shape ${formatShape(latents.shape)}, where the model takes ${taken}`)
  }
  const noise = await read('noise')
  if (noise === undefined) return { starts: samplesOf(latents) }
  if (!sameShape(noise.shape.slice(1), latents.shape) || noise.shape[0] === 0) {
    throw malformed(path, `noise has the shape ${formatShape(noise.shape)}, where steps × ${formatShape(latents.shape)} is needed`)
  }
  return { starts: samplesOf(latents), noise }
}

/** z of one picture [1, c, h, w] at a position. */
export function givenNoise(noise: FloatTensor, position: number, picture: number): FloatTensor {
  const [, pictures = 1, ...shape] = noise.shape
  const size = elementCount(shape)
  const start = (position * pictures + picture) * size
  return float32([1, ...shape], noise.data.subarray(start, start + size))
}

function malformed(path: string, fault: string): HalfstepError {
  return new HalfstepError('latents.malformed', `${path} cannot be started from: ${fault}.`, 'Save it again as documented.', { file: path })
}
