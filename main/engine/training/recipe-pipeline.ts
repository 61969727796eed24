/** The pipeline that a recipe trains. */
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { requireComponent } from '../pipeline/require-component.ts'
import { pixelsPerLatent, StableDiffusion } from '../pipeline/stable-diffusion.ts'
import type { Device, Recomputation } from '../protocol.ts'
import { isTarget } from './adapter-targets.ts'
import type { Recipe } from './recipe.ts'

/** Latent size of models whose config does not tell. */
export const USUAL_SIZE: Readonly<Record<Checkpoint['family'], number>> = { sd1: 64, sd2: 64, sdxl: 128 }

/** What can be varied in how a recipe is computed: it changes what it costs, and results by rounding only. */
export interface Economy {
  /** Samples that go through the UNet at once. */
  readonly batch: number
  readonly recomputation: Recomputation
}

export function economyOf({ batch, recomputation }: Recipe): Economy {
  return { batch: batch.prompts * batch.samplesPerPrompt, recomputation }
}

export async function openRecipePipeline(
  checkpoint: Checkpoint,
  recipe: Recipe,
  device: Device,
  economy: Economy = economyOf(recipe),
): Promise<StableDiffusion> {
  const { sampling, adapter, precision, threads } = recipe
  const usual = USUAL_SIZE[checkpoint.family]
  const [height, width] = requireComponent(checkpoint, 'unet').config.sampleSize ?? [usual, usual]
  const pixels = pixelsPerLatent(checkpoint)
  requireComponent(checkpoint, 'vae')
  return StableDiffusion.open(checkpoint, {
    device,
    precision,
    ...economy,
    latentHeight: sampling.height === undefined ? height : sampling.height / pixels,
    latentWidth: sampling.width === undefined ? width : sampling.width / pixels,
    trained: { rank: adapter.rank, alpha: adapter.alpha ?? adapter.rank, target: (path) => isTarget(adapter.targets, path) },
    ...(threads === undefined ? {} : { threads }),
  })
}
