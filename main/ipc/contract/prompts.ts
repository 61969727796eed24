import { z } from 'zod'
import { type CallTable, Count, Key, Name, nothing, Timestamp } from './shared.ts'

const Prompts = z.array(z.string().max(10_000)).max(10_000)
const Slots = z.record(z.string().min(1).max(100), z.array(z.string().max(1000)).max(1000))

/** Prompts that belong together. */
export const PromptSet = z.strictObject({
  /** An id, or the name of one that comes with Halfstep and cannot be changed. */
  key: Key,
  name: z.string(),
  /** Held-out prompts are never trained on, so that what is shown with them was not learned by heart. */
  kind: z.enum(['training', 'held-out']),
  /** May hold `{slot}` and `{one|of|these}`. */
  prompts: z.array(z.string()),
  negative: z.string(),
  /** What each slot may become. */
  slots: z.record(z.string(), z.array(z.string())),
  builtIn: z.boolean(),
  updatedAt: Timestamp.nullable(),
})
export type PromptSet = z.infer<typeof PromptSet>

export const PROMPT_CALLS = {
  /** The person's own, then those that come with Halfstep. */
  'prompts.list': { args: nothing, result: z.array(PromptSet) },
  /** Changes the set with the key; adds a new one without. */
  'prompts.save': {
    args: z.strictObject({
      key: Key.optional(),
      name: Name,
      kind: PromptSet.shape.kind,
      prompts: Prompts,
      negative: z.string().max(10_000).default(''),
      slots: Slots.default({}),
    }),
    result: PromptSet,
  },
  /** Into the bin. */
  'prompts.remove': { args: z.strictObject({ key: Key }), result: nothing },
  /** What prompts become with their slots filled: at most `limit` of `total`, in even steps. */
  'prompts.expand': {
    args: z.strictObject({ prompts: Prompts, slots: Slots.default({}), limit: z.int().min(1).max(10_000).default(50) }),
    result: z.strictObject({ prompts: z.array(z.string()), total: Count }),
  },
} as const satisfies CallTable
