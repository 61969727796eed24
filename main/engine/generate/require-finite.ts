import { assertFinite } from '../../../native-models/weights/finite.ts'
import { HalfstepError } from '../errors.ts'
import type { StableDiffusion } from '../pipeline/stable-diffusion.ts'
import type { FloatTensor } from '../tensor/tensor.ts'

/**
 * A picture that is NaN is caught at once, and the cause looked for. Throws `weights.not-finite` or `device.failed`.
 * @param where completes the sentence: `at step 3`
 */
export async function requireFinite(tensor: FloatTensor, { checkpoint, options }: StableDiffusion, where: string): Promise<void> {
  if (tensor.data.every(Number.isFinite)) return
  const { unet, vae, textEncoder, textEncoder2 } = checkpoint.components
  for (const component of [unet, vae, textEncoder, textEncoder2]) if (component !== undefined) await assertFinite(component.weights)
  const next =
    options.precision === 'float16'
      ? 'Compute in float32: half precision overflows with this model.'
      : 'Use adapters at lower strength, or another device.'
  throw new HalfstepError('device.failed', `The picture turned to NaN ${where}.`, next)
}
