import { z } from 'zod'
import { Device } from '../../engine/protocol.ts'
import { RunSummary } from './runs.ts'
import { type CallTable, Count, Id, Key, Name, TaskName } from './shared.ts'

/** What people come for. */
export const Goal = z.enum(['fix-hands', 'teach-style', 'tune-to-taste'])
/** How much time it may take. */
export const Effort = z.enum(['quick', 'balanced', 'thorough'])
/** A recipe as docs/training.md has it. Checked by `training.start`. */
export const Recipe = z.record(z.string(), z.json())

/** What a run would take on the device that it would run on. */
export const Estimate = z.strictObject({
  device: Device,
  updates: Count,
  /** Numbers that are trained. */
  parameters: Count,
  memoryBytes: z.number().nonnegative().nullable(),
  deviceBytes: z.number().nonnegative().nullable(),
  secondsPerUpdate: z.number().nonnegative().nullable(),
  totalSeconds: z.number().nonnegative().nullable(),
  /** Whether it fits into the device's memory; null where that cannot be told. */
  fits: z.boolean().nullable(),
  /** Names of the parts of the reward, whose weights can be changed while the run goes on. */
  rewardParts: z.array(z.string()),
  /** What the person should know, one sentence each. */
  notes: z.array(z.string()),
})

export type Goal = z.infer<typeof Goal>
export type Effort = z.infer<typeof Effort>
export type Recipe = z.infer<typeof Recipe>
export type Estimate = z.infer<typeof Estimate>

export const TRAINING_CALLS = {
  /** A recipe for what was picked, with settings that suit the model. What it may still lack is named by `training.start`. */
  'training.draft': {
    args: z.strictObject({
      goal: Goal,
      modelId: Id,
      effort: Effort.default('balanced'),
      /** A set of prompts; for hands those that come with Halfstep unless given. */
      promptsKey: Key.optional(),
      /** Null for none; for hands the template that comes with Halfstep unless given. */
      templateKey: Key.nullable().optional(),
      /** For the template's slots other than `subject`, which the prompt fills. */
      templateSlots: z.record(z.string(), z.string()).optional(),
      /** What pictures are judged by: needed for `fix-hands` and `tune-to-taste`. */
      rewardId: Id.optional(),
      /** Captioned pictures to learn from, as they are now: needed for `teach-style`. */
      datasetId: Id.optional(),
      /** An adapter to go on from. */
      startAdapterId: Id.optional(),
    }),
    result: z.strictObject({ recipe: Recipe }),
  },
  /** Opens everything that the run would need, and measures: seconds to minutes. A task. */
  'training.estimate': { args: z.strictObject({ recipe: Recipe, task: TaskName }), result: Estimate },
  /** Checks the recipe and puts its run into the queue. */
  'training.start': {
    args: z.strictObject({ name: Name, goal: Goal.or(z.literal('own-recipe')), recipe: Recipe }),
    result: RunSummary,
  },
} as const satisfies CallTable
