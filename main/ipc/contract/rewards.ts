import { z } from 'zod'
import { type CallTable, Count, FilePath, Id, LibraryUrl, Name, nothing, Sha256, TaskName, Timestamp } from './shared.ts'

/**
 * What pictures are judged by, as a recipe has it: `{ kind: 'onnx', path }`, `{ kind: 'critic', path }`,
 * `{ kind: 'aesthetic', path, head }`, `{ kind: 'prompt-match', path }`, `{ kind: 'pickscore', path }`, `{ kind: 'hpsv2', path }`,
 * `{ kind: 'likeness', path, pictures }`, or `{ kind: 'mixture', parts: […] }` of these, each part with `name`, `weight`, `clip`
 * and `normalise`.
 */
export const RewardSpec = z.record(z.string(), z.json())

/** A reward that the person set up. */
export const Reward = z.strictObject({
  id: Id,
  name: z.string(),
  spec: RewardSpec,
  notes: z.string(),
  /** Comes with Halfstep and cannot be changed. */
  builtIn: z.boolean(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
})
export type Reward = z.infer<typeof Reward>

export const RewardReading = z.strictObject({ value: z.number(), parts: z.record(z.string(), z.number()) })
export type RewardReading = z.infer<typeof RewardReading>

const RatedPicture = z.strictObject({ picture: Sha256, url: LibraryUrl, thumbnail: LibraryUrl })
const Taste = z.string().trim().min(1).max(100)

export const REWARD_CALLS = {
  'rewards.list': { args: nothing, result: z.array(Reward) },
  /** The spec with every default filled in; fails with `recipe.malformed`, `details.key` naming the key. */
  'rewards.check': { args: z.strictObject({ spec: RewardSpec }), result: z.strictObject({ spec: RewardSpec }) },
  /** Changes the reward with the id; adds a new one without. Fails as `check` does. */
  'rewards.save': {
    args: z.strictObject({ id: Id.optional(), name: Name, spec: RewardSpec, notes: z.string().max(20_000).default('') }),
    result: Reward,
  },
  /** Into the bin. */
  'rewards.remove': { args: z.strictObject({ id: Id }), result: nothing },
  /** What a reward says of pictures, in their order: files by path, and pictures of the studio by id. A task: `done` counts pictures. */
  'rewards.test': {
    args: z.strictObject({
      spec: RewardSpec,
      pictures: z.array(z.union([
        z.strictObject({ path: FilePath, prompt: z.string().max(10_000).default('') }),
        z.strictObject({ generation: Id }),
      ])).min(1).max(100),
      task: TaskName,
    }),
    result: z.array(RewardReading),
  },
  /** Tastes that have ratings. */
  'tastes.list': { args: nothing, result: z.array(z.strictObject({ taste: z.string(), ratings: Count })) },
  /** Two pictures of the studio to choose between; null when every pair has been asked about. */
  'tastes.next': {
    args: z.strictObject({ taste: Taste }),
    result: z.strictObject({ pair: z.strictObject({ left: RatedPicture, right: RatedPicture }).nullable() }),
  },
  'tastes.rate': {
    args: z.strictObject({ taste: Taste, left: Sha256, right: Sha256, preferred: z.enum(['left', 'right', 'neither']) }),
    result: nothing,
  },
  /** Takes back the latest rating. */
  'tastes.undo': { args: z.strictObject({ taste: Taste }), result: z.strictObject({ undone: z.boolean() }) },
} as const satisfies CallTable
