/** Gradient estimators and what their variance is. */
import { z } from 'zod'
import { Device } from './devices.ts'
import { Count, Estimated, Path } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

/** The same as the engine's own type, which the handler's return type is checked against. */
export const EstimatorFigures = z.strictObject({
  label: z.string(),
  biased: z.string().nullable(),
  draws: Count,
  meanNorm: Estimated,
  variance: Estimated,
  cosine: Estimated.nullable(),
  share: Estimated.nullable(),
  forwards: z.number(),
  vjps: z.number(),
  seconds: z.number(),
  varianceSeconds: Estimated,
})
export type EstimatorFigures = z.infer<typeof EstimatorFigures>

/** What `estimator.measure` finds. */
export const EstimatorTable = z.strictObject({
  parameters: Count,
  steps: Count,
  figures: z.array(EstimatorFigures),
  /** Label of the unbiased estimator with the least variance × seconds; null where none is unbiased. */
  best: z.string().nullable(),
})
export type EstimatorTable = z.infer<typeof EstimatorTable>

export const ESTIMATOR_JOBS = {
  /** Measures gradient estimators on the chain of a recipe, at the parameters that a run of it would begin with. */
  'estimator.measure': {
    request: z.strictObject({
      /** JSON of a recipe: chain, prompts, reward and adapter are taken from it. */
      recipe: z.unknown(),
      /** Relative paths in the recipe begin here. */
      recipeFolder: Path.optional(),
      /** In place of the recipe's. */
      model: Path.optional(),
      /** Two at least: there is no variance in one. */
      draws: z.int().min(2),
      device: Device,
    }),
    progress: z.strictObject({ label: z.string(), draw: Count }),
    result: EstimatorTable,
  },
} as const satisfies JobSchemas
