/** Adapter files: read, converted, merged. */
import { z } from 'zod'
import { Precision } from './devices.ts'
import { Count, Path, WeightedAdapter } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

export const AdapterFormat = z.enum(['kohya', 'peft'])
export type AdapterFormat = z.infer<typeof AdapterFormat>

/** The same as the engine's own type, which the handler's return type is checked against. */
export const AdapterSummary = z.strictObject({
  format: AdapterFormat,
  dtype: z.string(),
  family: z.enum(['sd1', 'sd2', 'sdxl']).optional(),
  title: z.string().optional(),
  ranks: z.array(Count).readonly(),
  alphas: z.array(z.number()).readonly(),
  modules: Count,
  parameters: Count,
  components: z.record(z.string(), Count),
  targets: z.record(z.string(), Count),
  problems: z.array(z.string()).readonly(),
})
export type AdapterSummary = z.infer<typeof AdapterSummary>

/** How an adapter file is to be written; without a `dtype`, as the original is. */
const AdapterTarget = { out: Path, format: AdapterFormat, dtype: Precision.optional() }

export const ADAPTER_JOBS = {
  'adapter.inspect': {
    request: z.strictObject({ path: Path }),
    progress: z.never(),
    result: AdapterSummary,
  },
  /** Writes an adapter in the other format. */
  'adapter.convert': {
    request: z.strictObject({ path: Path, ...AdapterTarget }),
    progress: z.never(),
    result: AdapterSummary,
  },
  /** Writes Σ strength · adapter as one adapter; in the format of the first where none is given. */
  'adapter.merge': {
    request: z.strictObject({
      parts: z.array(WeightedAdapter).min(1),
      /** Rank to reduce every module to; without it the merge is exact and ranks add up. */
      rank: z.int().min(1).optional(),
      ...AdapterTarget,
      format: AdapterFormat.optional(),
    }),
    progress: z.never(),
    /** `keptEnergy`: the share of Σ ‖ΔW‖² that a reduced rank keeps. */
    result: z.strictObject({ summary: AdapterSummary, keptEnergy: z.number() }),
  },
} as const satisfies JobSchemas
