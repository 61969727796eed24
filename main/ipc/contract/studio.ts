import { z } from 'zod'
import { Precision, SamplerName } from '../../engine/protocol.ts'
import { type CallTable, Count, type EventTable, Id, LibraryUrl, nothing, TaskName, Timestamp } from './shared.ts'

const Json = z.record(z.string(), z.json())

/** A picture of the studio. */
export const Generation = z.strictObject({
  id: Id,
  /** Pictures of one request have one batch, in the order of `position`. */
  batch: Id,
  position: Count,
  prompt: z.string(),
  seed: Count,
  /** The arguments of `studio.generate`, or of `studio.repair` but its mask, that make it again, and the model's name as `model`. */
  recipe: Json,
  modelId: Id.nullable(),
  width: Count,
  height: Count,
  /** The PNG file, with its recipe inside. */
  url: LibraryUrl,
  /** A small copy. */
  thumbnail: LibraryUrl,
  /** The picture as it was before, where this one is a repair. */
  source: z.strictObject({ url: LibraryUrl, thumbnail: LibraryUrl }).nullable(),
  createdAt: Timestamp,
})
export type Generation = z.infer<typeof Generation>

const TemplateUse = z.strictObject({
  use: z.union([z.string().regex(/^[a-z0-9-]+$/), Json]),
  slots: z.record(z.string(), z.string()).default({}),
})

/** What every way of drawing takes. */
export const Drawing = {
  modelId: Id,
  negative: z.string().max(10_000).optional(),
  adapters: z.array(z.strictObject({ id: Id, strength: z.number().min(-10).max(10) })).max(20).default([]),
  /** A template by its key or by value. The prompt fills its slot `subject`. */
  template: TemplateUse.optional(),
  seed: z.int().min(0).max(2 ** 32 - 1).optional(),
  /** Pictures of each prompt, or variants. */
  count: z.int().min(1).max(100).default(1),
  sampler: SamplerName.default('ddim'),
  steps: z.int().min(1).max(1000).default(25),
  guidance: z.number().min(0).max(100).default(7.5),
  eta: z.number().min(0).max(1).optional(),
  precision: Precision.optional(),
} as const

/** What was drawn, in order, and what the person should know of it. */
export const Drawn = z.strictObject({ batch: Id, seed: Count, generations: z.array(Generation), notes: z.array(z.string()) })

export const STUDIO_CALLS = {
  /**
   * Makes pictures: the k-th of every prompt has the seed `seed + k`, so the same seed with and without adapters is before and
   * after. A task: `done` counts steps of all pictures. Each picture is told of by `studio.picture` as soon as it is there, and
   * stays when the task is cancelled.
   */
  'studio.generate': {
    args: z.strictObject({
      ...Drawing,
      prompts: z.array(z.string().max(10_000)).min(1).max(100),
      size: z.strictObject({ width: z.int().min(8).max(8192), height: z.int().min(8).max(8192) }).optional(),
      task: TaskName,
    }),
    result: Drawn,
  },
  /** What was made, youngest first. */
  'studio.list': {
    args: z.strictObject({ offset: Count.default(0), limit: z.int().min(1).max(500).default(100) }),
    result: z.strictObject({ total: Count, generations: z.array(Generation) }),
  },
  /** Into the bin. */
  'studio.remove': { args: z.strictObject({ id: Id }), result: nothing },
} as const satisfies CallTable

export const STUDIO_EVENTS = {
  'studio.picture': z.strictObject({ generation: Generation }),
} as const satisfies EventTable
