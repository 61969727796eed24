/** Templates of prompts along the chain. */
import { z } from 'zod'
import { Device, Precision } from './devices.ts'
import { Count, Json, Path } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'
import { SamplerName } from './pictures.ts'

/** What the model takes a picture for at a step of its chain: the clean picture that its prediction means there. */
export const PreviewPicture = z.strictObject({
  /** Steps made before it. */
  step: Count,
  /** Of the noise schedule: 1 is pure noise, 0 the clean picture. */
  fraction: z.number().min(0).max(1),
  /** A PNG file. */
  png: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
})
export type PreviewPicture = z.infer<typeof PreviewPicture>

export const TEMPLATE_JOBS = {
  /** The templates that come with the program, by name. */
  'template.builtIn': {
    request: z.strictObject({}),
    progress: z.never(),
    result: z.array(z.strictObject({ key: z.string(), template: Json })),
  },
  /** A template complete with its defaults. */
  'template.check': {
    request: z.strictObject({ template: z.unknown() }),
    progress: z.never(),
    result: z.strictObject({ template: Json }),
  },
  /** Draws one picture with a template, and tells what the model takes it for on the way. */
  'template.preview': {
    request: z.strictObject({
      model: Path,
      template: z.unknown(),
      slots: z.record(z.string(), z.string()),
      prompt: z.string(),
      negative: z.string().optional(),
      seed: Count,
      sampler: SamplerName,
      steps: z.int().min(1),
      guidance: z.number().min(0),
      /** Pictures on the way at most, spread over the schedule. */
      pictures: z.int().min(1),
      /** Longer side of the pictures told, in pixels at most. */
      side: z.int().min(1),
      device: Device,
      precision: Precision,
    }),
    progress: z.strictObject({ step: Count, steps: Count, picture: PreviewPicture.nullable() }),
    result: z.strictObject({ notes: z.array(z.string()) }),
  },
} as const satisfies JobSchemas
