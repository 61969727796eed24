/** What a model is, and whether it computes what it should. */
import { z } from 'zod'
import { Device, Precision } from './devices.ts'
import { Count, Path } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

/** One network of a model, as far as its config and weights tell. */
export const ComponentSummary = z.strictObject({
  name: z.enum(['unet', 'textEncoder', 'textEncoder2', 'vae', 'imageEncoder']),
  /** Numbers that can be trained. */
  parameters: Count,
  /** Bytes on disk. */
  bytes: Count,
  /** How many bytes are stored in each element type: `{ float16: 1719125304 }`. */
  precision: z.record(z.string(), Count),
})
export type ComponentSummary = z.infer<typeof ComponentSummary>

/** What `model.inspect` finds. */
export const ModelSummary = z.strictObject({
  /** Absolute path. */
  path: z.string(),
  family: z.enum(['sd1', 'sd2', 'sdxl']),
  layout: z.enum(['diffusers', 'single-file']),
  predictionType: z.enum(['epsilon', 'v_prediction']),
  components: z.array(ComponentSummary),
  /** The tokenizer's folder, or null where the model has none and CLIP's standard one is taken. */
  tokenizer: z.string().nullable(),
  /** Latents [channels, height, width] the UNet was trained at; height and width are null where the config does not say. */
  latentSize: z.tuple([Count, Count.nullable(), Count.nullable()]).nullable(),
  /** Width of the text condition; null without a UNet. */
  crossAttentionWidth: Count.nullable(),
  /** Assumptions made and oddities found, one sentence each. */
  problems: z.array(z.string()),
  /** What keeps the model from working: missing or misshapen weights, NaN, one sentence each. */
  faults: z.array(z.string()),
})
export type ModelSummary = z.infer<typeof ModelSummary>

/** One output that was computed again and compared with its reference. */
export const CheckLine = z.strictObject({
  output: z.string(),
  /** ‖ours − reference‖ / ‖reference‖ */
  relativeError: z.number().nonnegative().or(z.literal(Infinity)),
  tolerance: z.number().positive(),
  /** The number that lies too far from its reference to be rounding, where there is one. */
  outlier: z.strictObject({ index: z.array(Count), ours: z.number(), reference: z.number() }).nullable(),
  passed: z.boolean(),
})
export type CheckLine = z.infer<typeof CheckLine>

/** A group of a cases file that gave no numbers, and why. */
export const SkippedGroup = z.strictObject({ group: z.string(), reason: z.string() })
export type SkippedGroup = z.infer<typeof SkippedGroup>

export const CheckReport = z.strictObject({
  lines: z.array(CheckLine),
  /** Groups that should have been computed and could not be: the check fails. */
  failures: z.array(SkippedGroup),
  /** Groups that this version does not know. */
  notCovered: z.array(SkippedGroup),
  passed: z.boolean(),
})
export type CheckReport = z.infer<typeof CheckReport>

export const MODEL_JOBS = {
  /** What a model is, from its configs and headers, and whether its weights are complete and finite, from reading them once. */
  'model.inspect': {
    request: z.strictObject({ path: Path }),
    /** The component whose weights are being read. */
    progress: ComponentSummary.pick({ name: true, bytes: true }),
    result: ModelSummary,
  },
  /** Computes the outputs of a cases file again and compares. */
  'model.check': {
    request: z.strictObject({
      model: Path,
      cases: Path,
      device: Device,
      precision: Precision,
      /** Only outputs whose name begins with this. */
      only: z.string().optional(),
    }),
    progress: CheckLine,
    result: CheckReport,
  },
  /** Token ids by a model's tokenizer, or by the standard one for `clip`. */
  'model.tokenize': {
    request: z.strictObject({ source: Path, texts: z.array(z.string()).min(1) }),
    progress: z.never(),
    result: z.array(z.strictObject({ text: z.string(), ids: z.array(Count) })),
  },
} as const satisfies JobSchemas
