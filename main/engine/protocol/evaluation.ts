/** What judge and critic see in the starter's pictures, without adapters and with them. */
import { z } from 'zod'
import { Device } from './devices.ts'
import { Count, Estimated, Path, TemplateUse, WeightedAdapter } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

/** A share of trials, with Wilson's 95 % interval; NaN of none. */
const Share = z.strictObject({ successes: Count, trials: Count, share: z.number().or(z.nan()), low: z.number(), high: z.number() })

/** A picture as judge and critic see it. */
export const JudgedPicture = z.strictObject({
  /** Index of its prompt. */
  prompt: Count,
  /** Makes the same picture in `model.generate`. */
  seed: Count,
  /** By the judge: the fingers of a well-formed hand, `'3'` … `'8'`, or `ill-formed`, or `no hand`. */
  outcome: z.string(),
  /** What the judge calls the colours of background and skin; null for what no skin looks like. */
  background: z.string(),
  skin: z.string().nullable(),
  /** The critic's probability of five fingers, and its most probable class. */
  score: z.number(),
  reading: z.string(),
})
export type JudgedPicture = z.infer<typeof JudgedPicture>

/** One model in an evaluation: the base or an adapter, with or without a template. */
export const EvaluatedArm = z.strictObject({
  label: z.string(),
  pictures: z.array(JudgedPicture),
  /** Mean ΔE between the pictures of each prompt that has several. */
  diversity: z.array(z.number()),
  seconds: z.number(),
})
export type EvaluatedArm = z.infer<typeof EvaluatedArm>

/** How often something holds of an arm's pictures, by the judge. */
export const ArmSummary = z.strictObject({
  label: z.string(),
  pictures: Count,
  /** Pictures by outcome. */
  outcomes: z.record(z.string(), Count),
  /** Well-formed hands with five fingers: the figure that results are quoted by. */
  five: Share,
  wellFormed: Share,
  noHand: Share,
  /** Pictures whose background, and whose skin, is what the prompt asks for. */
  background: Share,
  skin: Share,
  colours: z.array(z.strictObject({ of: z.enum(['background', 'skin']), word: z.string(), right: Share })),
  /** The critic's mean score. */
  score: Estimated,
  /** Pictures that the critic sees five fingers in where the judge does, and does not where not. */
  agreement: Share,
  /** Well-formed hands whose number of fingers both read alike. */
  countAgreement: Share,
  /** Mean ΔE between pictures of one prompt. */
  diversity: Estimated,
})
export type ArmSummary = z.infer<typeof ArmSummary>

/** Pictures of which something has become true, or is no longer, and the exact two-sided p of McNemar's test. */
const Flips = z.strictObject({ gained: Count, lost: Count, p: z.number() })

/** What changed between pictures of the same prompts and noises. */
export const PairedChange = z.strictObject({
  five: Flips,
  wellFormed: Flips,
  background: Flips,
  skin: Flips,
  agreement: Flips,
  colours: z.array(z.strictObject({ of: z.enum(['background', 'skin']), word: z.string(), flips: Flips })),
  /** Mean of the differences. */
  score: Estimated,
  diversity: Estimated,
  /** How much more the critic's score rose than the judge's rate: what of its rise the judge does not see. */
  unseen: Estimated,
  /** Outcome before → after, and in how many pictures. */
  transitions: z.array(z.strictObject({ from: z.string(), to: z.string(), count: Count })),
})
export type PairedChange = z.infer<typeof PairedChange>

export const EVALUATION_JOBS = {
  /** Draws the same prompts from the same noises by the starter as it is and with adapters, and has judge and critic look at them. */
  'starter.evaluate': {
    request: z.strictObject({
      model: Path,
      /** The critic's ONNX file. */
      critic: Path,
      arms: z
        .array(
          z.strictObject({
            label: z.string().min(1),
            /** None for the model as it is. */
            adapters: z.array(WeightedAdapter),
            template: TemplateUse.optional(),
            /** A PNG file to write all of its pictures to, side by side. */
            sheet: Path.optional(),
          }),
        )
        .min(1),
      prompts: z.array(z.string()).min(1),
      /** Per arm: picture i is of prompt i mod prompts, from the seed `seed` + i. */
      pictures: z.int().min(1),
      seed: Count,
      sampling: z.strictObject({ steps: z.int().min(1), eta: z.number().min(0).max(1), guidance: z.number().min(0) }),
      /** Pictures drawn at once. */
      batch: z.int().min(1).default(32),
      device: Device,
      threads: z.int().min(1).optional(),
    }),
    /** Pictures drawn and judged of an arm. */
    progress: z.strictObject({ label: z.string(), done: Count, pictures: Count }),
    result: z.strictObject({
      arms: z.array(EvaluatedArm),
      summaries: z.array(ArmSummary),
      /** Of every arm but the first, against the first. */
      changes: z.array(PairedChange),
    }),
  },
} as const satisfies JobSchemas
