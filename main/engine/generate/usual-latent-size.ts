import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { requireComponent } from '../pipeline/require-component.ts'

/** Latent size of models whose config does not tell. */
const USUAL_SIZE: Readonly<Record<Checkpoint['family'], number>> = { sd1: 64, sd2: 64, sdxl: 128 }

/** The latents [height, width] that a model was trained at. Throws `model.missing-component`. */
export function usualLatentSize(checkpoint: Checkpoint): readonly [height: number, width: number] {
  const usual = USUAL_SIZE[checkpoint.family]
  return requireComponent(checkpoint, 'unet').config.sampleSize ?? [usual, usual]
}
