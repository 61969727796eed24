import { z } from 'zod'
import { LEAST_TASTE_CHOICES, TasteAccuracy } from '../../engine/protocol.ts'
import { type CallTable, Count, FilePath, Id, LibraryUrl, Name, nothing, Sha256, TaskName, Timestamp } from './shared.ts'

/**
 * What pictures are judged by, as a recipe has it: `{ kind: 'onnx', path }`, `{ kind: 'critic', path }`,
 * `{ kind: 'aesthetic', path, head }`, `{ kind: 'prompt-match', path }`, `{ kind: 'pickscore', path }`, `{ kind: 'hpsv2', path }`,
 * `{ kind: 'likeness', path, pictures }`, `{ kind: 'taste', path, head }`, `{ kind: 'variety' }`, or
 * `{ kind: 'mixture', parts: […] }` of these, each part with `name`, `weight`, `clip` and `normalise`.
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

export { LEAST_TASTE_CHOICES, TasteAccuracy }

const RatedPicture = z.strictObject({ picture: Sha256, url: LibraryUrl, thumbnail: LibraryUrl })
export const RatedPair = z.strictObject({ left: RatedPicture, right: RatedPicture })
export type RatedPair = z.infer<typeof RatedPair>

/** How far a taste has come: pairs that were answered, and of these the answers that preferred a picture. */
export const TasteCount = z.strictObject({ taste: z.string(), ratings: Count, choices: Count })
export type TasteCount = z.infer<typeof TasteCount>

/** Where the pictures come from that are put beside each other: the latest of the Studio, or a dataset. */
export const TasteSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('studio') }),
  z.strictObject({ kind: z.literal('dataset'), id: Id }),
])
export type TasteSource = z.infer<typeof TasteSource>

const Taste = z.string().trim().min(1).max(100)

export const REWARD_CALLS = {
  'rewards.list': { args: nothing, result: z.array(Reward) },
  /** Changes the reward with the id; adds a new one without. Fails with `recipe.malformed`, `details.key` naming the key. */
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
  'tastes.list': { args: nothing, result: z.array(TasteCount) },
  /** The next pairs to choose from, the least asked about first; none when every pair has been asked about. */
  'tastes.next': {
    args: z.strictObject({ taste: Taste, source: TasteSource.default({ kind: 'studio' }), count: z.int().min(1).max(20).default(1) }),
    result: z.strictObject({ pairs: z.array(RatedPair) }),
  },
  'tastes.rate': {
    args: z.strictObject({ taste: Taste, left: Sha256, right: Sha256, preferred: z.enum(['left', 'right', 'neither']) }),
    result: TasteCount,
  },
  /** Takes back the latest rating: the pair it was about, to be asked again; null when there was none. */
  'tastes.undo': { args: z.strictObject({ taste: Taste }), result: z.strictObject({ pair: RatedPair.nullable(), count: TasteCount }) },
  /**
   * Learns a taste from all its ratings and keeps it as the reward of that name, replacing what it learned before. With a CLIP model
   * it looks at pictures through that, else by simple features of its own. Fails with `taste.too-few`. A task: `done` counts pictures.
   */
  'tastes.train': {
    args: z.strictObject({ taste: Taste, clip: FilePath.optional(), task: TaskName }),
    result: z.strictObject({ reward: Reward, choices: Count, accuracy: TasteAccuracy }),
  },
} as const satisfies CallTable
