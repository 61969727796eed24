/** What a recipe for supervised training may say: pictures with captions, and how the model is shown them. */
import { z } from 'zod'
import { readRecipe } from './read-recipe.ts'
import { COMMON, CountFrom, NonNegative, Optimizer, Path, Positive, refuseLongWarmUp } from './recipe-schema.ts'

const Share = z.number().min(0).max(1)

export const DenoisingRecipeSchema = z.strictObject({
  trainer: z.literal('denoising'),
  ...COMMON,
  dataset: z.strictObject({
    /** PNG, JPEG and WebP pictures, the caption of each in a .txt file of the same name. */
    folder: Path,
    /** Of pictures without such a file. */
    caption: z.string().default(''),
    /** Side in pixels of the square whose area all sizes have about; the model's own unless given. */
    resolution: CountFrom(1).optional(),
    /** Longer over shorter side of the sizes that pictures are cut to; 1 makes all of them squares. */
    largestAspect: z.number().min(1).default(2),
    /** Sizes whose networks are in memory at the same time; the others are opened anew in every epoch. */
    openSizes: CountFrom(1).default(3),
  }),
  /** Pictures of what the model is to keep, such as other things of the same kind (Ruiz et al., DreamBooth, 2023). */
  prior: z
    .strictObject({
      folder: Path,
      caption: z.string().default(''),
      /** Shown beside the pictures of a batch. */
      pictures: CountFrom(1).default(1),
      /** Of their loss. */
      weight: Positive.default(1),
    })
    .nullable()
    .default(null),
  loss: z
    .strictObject({
      /** Of noise that is the same all over the picture, so that dark and bright ones can be learned; 0.05 to 0.1 where wanted. */
      noiseOffset: NonNegative.default(0),
      /** γ of min-SNR, which keeps steps of little noise from outweighing all others; null for no weighting. */
      minSnrGamma: Positive.nullable().default(5),
      /** Share of pictures that are shown without caption. */
      captionDropout: Share.default(0.1),
    })
    .prefault({}),
  batch: z
    .strictObject({
      pictures: CountFrom(1).default(1),
      /** Batches whose gradients are averaged before each optimizer step. */
      accumulation: CountFrom(1).default(1),
    })
    .prefault({}),
  optimizer: Optimizer.extend({ learningRate: Positive.default(1e-4) }).prefault({}),
  /** Pictures for people: every so many updates (null for never). */
  samples: z
    .strictObject({
      every: CountFrom(1).nullable().default(null),
      count: CountFrom(1).default(4),
      /** The captions of the first pictures unless given. */
      prompts: z.array(z.string()).min(1).optional(),
      steps: CountFrom(1).default(25),
      guidance: NonNegative.default(5),
    })
    .prefault({}),
})

export type DenoisingRecipe = z.output<typeof DenoisingRecipeSchema>

/**
 * A recipe for supervised training from JSON, complete with defaults.
 * @param source begins the sentences: the file's name
 * Throws `recipe.malformed` for unknown, missing or mistyped keys, and `recipe.impossible` for settings that cannot be.
 */
export function parseDenoisingRecipe(raw: unknown, source: string): DenoisingRecipe {
  const recipe = readRecipe(DenoisingRecipeSchema, raw, source)
  refuseLongWarmUp(recipe)
  return recipe
}
