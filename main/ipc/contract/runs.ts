import { z } from 'zod'
import { Device } from '../../engine/protocol.ts'
import { type CallTable, Count, type EventTable, Id, LibraryUrl, Name, nothing, Timestamp } from './shared.ts'

/**
 * `queued` waits for its turn; `running` goes on; `paused` by the person or by trouble that `reason` tells; `interrupted` when
 * Halfstep was closed; `failed` with a `reason`; `stopped` before it made anything; `finished` with an adapter.
 */
export const RunState = z.enum(['queued', 'running', 'paused', 'interrupted', 'finished', 'failed', 'stopped'])

/** A run in a list. */
export const RunSummary = z.strictObject({
  id: Id,
  name: z.string(),
  goal: z.string(),
  state: RunState,
  device: Device,
  modelId: Id.nullable(),
  modelName: z.string().nullable(),
  /** Updates made, of so many. */
  update: Count,
  updates: Count,
  /** Why it does not go on. */
  reason: z.strictObject({ message: z.string(), nextStep: z.string() }).nullable(),
  /** Asked for, and done after the update at hand. */
  wish: z.enum(['pause', 'stop', 'stop-and-keep-best']).nullable(),
  firstReward: z.number().nullable(),
  latestReward: z.number().nullable(),
  /** Working time of all updates. */
  seconds: z.number().nonnegative(),
  timeLeft: z.number().nullable(),
  /** Its latest picture. */
  cover: LibraryUrl.nullable(),
  /** What it made. */
  adapterId: Id.nullable(),
  createdAt: Timestamp,
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
})

/** What one update came to. */
export const MetricPoint = z.strictObject({
  update: Count,
  /** Of the reward over the update's samples. */
  mean: z.number(),
  spread: z.number(),
  min: z.number(),
  max: z.number(),
  gradientNorm: z.number(),
  learningRate: z.number(),
  seconds: z.number(),
  /** Mean of each part of the reward, unweighted, and of the penalties. */
  parts: z.record(z.string(), z.number()),
})

const Numbers = z.array(z.number())
/** Curves, as many entries in each list. */
export const MetricSeries = z.strictObject({
  update: Numbers,
  mean: Numbers,
  spread: Numbers,
  min: Numbers,
  max: Numbers,
  gradientNorm: Numbers,
  learningRate: Numbers,
  seconds: Numbers,
  parts: z.record(z.string(), z.array(z.number().nullable())),
})

/** A picture of a run. Those of one `position` begin from the same noise, through all updates; update 0 is before training. */
export const RunPicture = z.strictObject({ update: Count, position: Count, url: LibraryUrl })

/**
 * Something that happened, in words. `kind`: started, resumed, paused, interrupted, finished, failed, restarted (the engine stopped
 * and was started again), reward-weight, or the kind of a warning (`not-finite`, `reward-constant`, …).
 */
export const RunLogEntry = z.strictObject({
  at: Timestamp,
  update: Count,
  kind: z.string(),
  message: z.string(),
  nextStep: z.string(),
})

/** What a part of the reward counts; below zero it is to be avoided. */
export const RewardWeight = z.strictObject({ reward: z.string(), weight: z.number() })

export const RunDetails = z.strictObject({
  summary: RunSummary,
  /** With which `training.start` makes the same run again; complete once the run has begun. */
  recipe: z.record(z.string(), z.json()),
  metrics: MetricSeries,
  pictures: z.array(RunPicture),
  checkpoints: z.array(z.strictObject({ update: Count, best: z.boolean() })),
  log: z.array(RunLogEntry),
  /** Now; none before the run began, or where its reward has no parts. */
  rewardWeights: z.array(RewardWeight),
})

/** What happens in a run while it goes on. */
export const RunHappening = z.discriminatedUnion('type', [
  /** Where it stands: on every change of state, and with everything worth telling but mere progress. */
  z.strictObject({ type: z.literal('state'), summary: RunSummary }),
  z.strictObject({ type: z.literal('progress'), point: MetricPoint, timeLeft: z.number().nullable() }),
  z.strictObject({ type: z.literal('sample'), update: Count, pictures: z.array(RunPicture) }),
  /** What all parts of the reward count from now on. */
  z.strictObject({ type: z.literal('weights'), weights: z.array(RewardWeight).readonly() }),
  z.strictObject({ type: z.literal('log'), entry: RunLogEntry }),
])

export type RunState = z.infer<typeof RunState>
export type RunSummary = z.infer<typeof RunSummary>
export type MetricPoint = z.infer<typeof MetricPoint>
export type MetricSeries = z.infer<typeof MetricSeries>
export type RunPicture = z.infer<typeof RunPicture>
export type RunLogEntry = z.infer<typeof RunLogEntry>
export type RewardWeight = z.infer<typeof RewardWeight>
export type RunDetails = z.infer<typeof RunDetails>
export type RunHappening = z.infer<typeof RunHappening>

/** How the machine is doing; null where it does not tell. */
export const Vitals = z.strictObject({
  /** Of the whole device, other programs included; in bytes. */
  memoryUsed: z.number().nonnegative().nullable(),
  memoryTotal: z.number().positive().nullable(),
  /** In degrees Celsius. */
  temperature: z.number().nullable(),
})
export type Vitals = z.infer<typeof Vitals>

/** What the judge of the starter's hands sees in the pictures of a moment. */
export const JudgedMoment = z.strictObject({ update: Count, pictures: Count, fiveFingers: Count, wellFormed: Count })
export type JudgedMoment = z.infer<typeof JudgedMoment>

const one = z.strictObject({ id: Id })

export const RUN_CALLS = {
  /** Youngest first. */
  'runs.list': { args: nothing, result: z.array(RunSummary) },
  /** @param points of each curve at most */
  'runs.get': { args: z.strictObject({ id: Id, points: z.int().min(1).max(5000).default(500) }), result: RunDetails },
  'runs.rename': { args: z.strictObject({ id: Id, name: Name }), result: RunSummary },
  /** After the update at hand; one that waits leaves the queue. */
  'runs.pause': { args: one, result: RunSummary },
  /** Back into the queue, from the latest checkpoint; also what was interrupted or has failed. */
  'runs.resume': { args: one, result: RunSummary },
  /** Ends the run with an adapter: the latest, or that of the best checkpoint. One that never began is called off. */
  'runs.stop': { args: z.strictObject({ id: Id, keepBest: z.boolean().default(false) }), result: RunSummary },
  /** Makes pictures after the update at hand, only of a run that goes on. */
  'runs.sampleNow': { args: one, result: nothing },
  /** Only of a run that goes on. */
  'runs.changeRewardWeight': { args: z.strictObject({ id: Id, reward: z.string().min(1), weight: z.number() }), result: nothing },
  /** Memory and temperature of the device that the run is on. */
  'runs.vitals': { args: one, result: Vitals },
  /** The pictures along a run of the starter, as a judge counts fingers that knows nothing of the reward. None for other models. */
  'runs.judge': { args: one, result: z.array(JudgedMoment) },
  /** Into the bin. */
  'runs.remove': { args: one, result: nothing },
} as const satisfies CallTable

export const RUN_EVENTS = {
  'runs.event': z.strictObject({ run: Id, event: RunHappening }),
} as const satisfies EventTable
