/** Training runs: what they cost, tell and can be told. */
import { z } from 'zod'
import { Device } from './devices.ts'
import { ErrorMessage } from './error-message.ts'
import { Count, Json, Path } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

/** What a training run needs, before it starts or as measured. */
export const TrainingCost = z.strictObject({
  /** Peak memory of the device (of the process, on the CPU) in bytes; null when it is not known. */
  memoryBytes: z.number().nonnegative().nullable(),
  secondsPerUpdate: z.number().nonnegative().nullable(),
})
export type TrainingCost = z.infer<typeof TrainingCost>

/** How one step of the sampling chain was covered in an update; the norm of its own part of the gradient, where it is known. */
const TrainingStep = z.strictObject({ coverage: z.string(), norm: z.number().nullable() })

export const RunWarning = z.enum([
  'not-finite',
  'damaged-checkpoint',
  'adapter-unchanged',
  'reward-constant',
  'sample-failed',
  'no-such-reward',
  'skipped-picture',
  'many-sizes',
  'less-memory',
])
export type RunWarning = z.infer<typeof RunWarning>

export const PauseReason = z.enum(['asked', 'not-finite', 'storage', 'device'])
export type PauseReason = z.infer<typeof PauseReason>

/** A figure as it was computed, NaN and infinities too: whoever hears it decides what to make of it. */
const Figure = z.custom<number>((value) => typeof value === 'number')

/** What a training run tells while it goes on. `update` counts the updates made. */
export const TrainingEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('started'),
    folder: z.string(),
    /** Above 0 when an earlier start of the run is continued. */
    update: Count,
    updates: Count,
    parameters: Count,
    estimate: TrainingCost,
    /** Memory of the device in bytes; null when it does not tell. */
    deviceBytes: z.number().nullable(),
    /** What each part of the reward counts, by name; absent where there are no parts. */
    rewardWeights: z.record(z.string(), z.number()).optional(),
  }),
  z.strictObject({
    type: z.literal('progress'),
    update: Count,
    updates: Count,
    /** Mean, standard deviation and range of R over the update's samples. */
    reward: z.strictObject({ mean: Figure, spread: Figure, min: Figure, max: Figure }),
    /** Mean of each part of a mixed reward, unweighted, and of the penalties. */
    parts: z.record(z.string(), Figure),
    /** Before clipping. */
    gradientNorm: Figure,
    learningRate: z.number(),
    steps: z.array(TrainingStep).readonly(),
    /** Of this update. */
    seconds: z.number(),
    /** Seconds until the end; null before it can be told. */
    timeLeft: z.number().nullable(),
  }),
  z.strictObject({ type: z.literal('checkpoint'), update: Count, file: z.string(), best: z.boolean() }),
  z.strictObject({ type: z.literal('sample'), update: Count, files: z.array(z.string()).readonly() }),
  z.strictObject({ type: z.literal('warning'), update: Count, kind: RunWarning, message: z.string(), nextStep: z.string() }),
  z.strictObject({ type: z.literal('reward-weight'), update: Count, reward: z.string(), weight: z.number() }),
  z.strictObject({ type: z.literal('paused'), update: Count, reason: PauseReason, message: z.string(), nextStep: z.string() }),
  z.strictObject({ type: z.literal('resumed'), update: Count }),
  z.strictObject({
    type: z.literal('finished'),
    update: Count,
    adapter: z.string(),
    /** The update whose parameters the adapter holds. */
    adapterUpdate: Count,
    adapterChanged: z.boolean(),
    rewardConstant: z.boolean(),
    /** Working time of this start of the run. */
    seconds: z.number(),
    estimate: TrainingCost,
    measured: TrainingCost,
  }),
  z.strictObject({ type: z.literal('failed'), update: Count, error: ErrorMessage }),
])
export type TrainingEvent = z.infer<typeof TrainingEvent>

/** What a running training run can be told. Each takes effect between two updates. */
export const TrainingCommand = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('pause') }),
  z.strictObject({ type: z.literal('resume') }),
  /** Finish with the adapter as it is. */
  z.strictObject({ type: z.literal('stop') }),
  /** Finish with the adapter of the best checkpoint. */
  z.strictObject({ type: z.literal('stop-and-keep-best') }),
  z.strictObject({ type: z.literal('sample-now') }),
  z.strictObject({ type: z.literal('change-reward-weight'), reward: z.string(), weight: z.number() }),
])
export type TrainingCommand = z.infer<typeof TrainingCommand>

export const TrainingOutcome = z.strictObject({ outcome: z.enum(['finished', 'paused']), update: Count, adapter: z.string().nullable() })
export type TrainingOutcome = z.infer<typeof TrainingOutcome>

export const TRAINING_JOBS = {
  /** A recipe complete with its defaults. Opens none of the files it names. */
  'recipe.check': {
    request: z.strictObject({ recipe: z.unknown() }),
    progress: z.never(),
    result: z.strictObject({ recipe: Json }),
  },
  /** Opens everything a recipe needs, measures a little, and tells what a run of it would take. */
  'train.estimate': {
    request: z.strictObject({
      recipe: z.unknown(),
      /** Relative paths in the recipe begin here. */
      recipeFolder: Path.optional(),
      device: Device,
      /** An existing folder for what is computed on the way. The caller removes it. */
      scratch: Path,
    }),
    progress: z.never(),
    result: z.strictObject({
      updates: Count,
      parameters: Count,
      cost: TrainingCost,
      /** Memory of the device in bytes; null when it does not tell. */
      deviceBytes: z.number().nullable(),
      /** Names of the parts of the reward, whose weights can be changed while the run goes on. */
      rewardParts: z.array(z.string()),
      /** What the person should know, one sentence each. */
      notes: z.array(z.string()),
    }),
  },
  /** Starts a training run, or continues the one in the folder. */
  'train.run': {
    request: z.strictObject({
      /** Of the run; made where there is none. */
      folder: Path,
      /** JSON of a recipe; what the folder holds when left out. */
      recipe: z.unknown().optional(),
      /** Relative paths in the recipe begin here. */
      recipeFolder: Path.optional(),
      device: Device,
      /** Whether a paused run waits for a command, or ends the job, to be continued by another. */
      whenPaused: z.enum(['wait', 'end']),
    }),
    progress: TrainingEvent,
    result: TrainingOutcome,
    command: TrainingCommand,
  },
} as const satisfies JobSchemas
