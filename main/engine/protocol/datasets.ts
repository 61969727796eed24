/** Pictures to train on. */
import { z } from 'zod'
import { Count } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

export const DATASET_JOBS = {
  /** The sizes that training would cut pictures to, and for each picture the place of its size among them. */
  'dataset.buckets': {
    request: z.strictObject({
      pictures: z.array(z.strictObject({ width: z.int().min(1), height: z.int().min(1) })),
      /** Side of the square whose area all sizes have about, in pixels; a multiple of the granularity. */
      resolution: z.int().min(1),
      granularity: z.int().min(1),
      /** Longer over shorter side at most. */
      largestAspect: z.number().min(1),
    }),
    progress: z.never(),
    result: z.strictObject({
      sizes: z.array(z.strictObject({ width: Count, height: Count })),
      places: z.array(Count),
    }),
  },
} as const satisfies JobSchemas
