/** Time and memory of a network. */
import { z } from 'zod'
import { Device, Precision } from './devices.ts'
import { Count, Path } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

export const StandardConfig = z.enum(['sd15', 'sd21', 'sdxl'])

/**
 * What a backward pass computes again instead of keeping it: `blocks` everything but the blocks' inputs and the results of
 * attention (least memory), `attention` only the attention scores (about a quarter less time, several times the memory), `auto`
 * the latter where it fits.
 */
export const Recomputation = z.enum(['auto', 'blocks', 'attention'])
export type Recomputation = z.infer<typeof Recomputation>

export const BenchStage = z.enum(['weights', 'compile', 'forward', 'vjp'])
export type BenchStage = z.infer<typeof BenchStage>

/** The same as the engine's own type, which the handler's return type is checked against. */
export const BenchMeasurement = z.strictObject({
  seconds: z.array(z.number()).readonly(),
  median: z.number(),
  memoryAboveWeights: z.number(),
})
export type BenchMeasurement = z.infer<typeof BenchMeasurement>

/** What `model.bench` measures. */
export const BenchResult = z.strictObject({
  parameters: Count,
  weightBytes: Count,
  compileSeconds: z.number(),
  forward: BenchMeasurement,
  vjp: BenchMeasurement,
  deviceBytes: z.number().nullable(),
})
export type BenchResult = z.infer<typeof BenchResult>

export const BENCH_JOBS = {
  /** Time and memory of a UNet's forward pass and gradient. Ask a fresh process: memory figures include what was done before. */
  'model.bench': {
    request: z.strictObject({
      /** A standard size with random weights, or a model of one's own. */
      config: z.union([StandardConfig, z.strictObject({ model: Path })]),
      latent: z.int().min(1),
      batch: z.int().min(1),
      device: Device,
      precision: Precision,
      recomputation: Recomputation,
      /** Measured runs of each kind, after one that is not counted. */
      runs: z.int().min(1),
      /** An existing folder for random weights (up to 10 GB). The caller removes it: this process may be killed before it could. */
      scratch: Path,
    }),
    progress: z.strictObject({ stage: BenchStage }),
    result: BenchResult,
  },
} as const satisfies JobSchemas
