/** Rewards: checked, tried, learned from a person's choices. */
import { z } from 'zod'
import { Device, Precision } from './devices.ts'
import { Count, Json, Path } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

/** Fewer choices between pictures tell a taste from chance too seldom. */
export const LEAST_TASTE_CHOICES = 20

/** How often choices were foretold that were not learned from, with a 95 % interval; 0 … 1. */
export const TasteAccuracy = z.strictObject({ share: z.number(), low: z.number(), high: z.number(), trials: Count })
export type TasteAccuracy = z.infer<typeof TasteAccuracy>

export const REWARD_JOBS = {
  /** A reward complete with its defaults. Opens none of the files it names. */
  'reward.check': {
    request: z.strictObject({ reward: z.unknown() }),
    progress: z.never(),
    result: z.strictObject({ reward: Json }),
  },
  /** What a reward says of pictures. */
  'reward.test': {
    request: z.strictObject({
      reward: z.unknown(),
      pictures: z.array(z.strictObject({ path: Path, prompt: z.string() })).min(1),
      device: Device,
      precision: Precision,
    }),
    /** Pictures done. */
    progress: z.strictObject({ done: Count }),
    /** In the order of the pictures; by part as each part gave it, not yet weighed. */
    result: z.array(z.strictObject({ value: z.number(), parts: z.record(z.string(), z.number()) })),
  },
  /** Learns from comparisons of pictures which of them a person likes, and writes it as a reward. */
  'taste.train': {
    request: z.strictObject({
      /** Picture files. */
      pictures: z.array(Path),
      /** `left` and `right` are places among the pictures. */
      ratings: z.array(z.strictObject({ left: Count, right: Count, preferred: z.enum(['left', 'right', 'neither']) })),
      /** A CLIP model whose embeddings are learned on; Halfstep's own small features when left out. */
      clip: Path.optional(),
      device: Device,
      precision: Precision,
      /** The folder to write to. */
      out: Path,
    }),
    /** Pictures looked at. */
    progress: z.strictObject({ done: Count }),
    result: z.strictObject({
      /** An .onnx file that takes pictures; with `clip` the .safetensors head that goes with it. */
      file: z.string(),
      /** Ratings that preferred a picture. */
      choices: Count,
      accuracy: TasteAccuracy,
    }),
  },
} as const satisfies JobSchemas
