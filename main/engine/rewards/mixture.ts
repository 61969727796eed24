import { z } from 'zod'
import { HalfstepError } from '../errors.ts'
import { zeros, type FloatTensor } from '../tensor/tensor.ts'
import { didYouMean } from './nearest-name.ts'
import { PromptStatistics, PromptStatisticsState } from './prompt-statistics.ts'
import type { Reward, RewardGradient } from './reward.ts'

/** One reward of a mixture, and what is done to it. */
export interface MixturePart {
  readonly reward: Reward
  readonly weight: number
  /** Values beyond an end count as that end, and have no gradient there. */
  readonly clip?: readonly [low: number, high: number] | undefined
  /** Whether the running mean of a picture's prompt is taken off and its deviation divided out, after clipping. */
  readonly normalise?: boolean | undefined
}

/** What one part said of each picture. */
export interface PartReading {
  readonly name: string
  readonly weight: number
  /** As the reward gave it. */
  readonly raw: Float64Array
  /** Clipped and normalised, not yet weighed. */
  readonly used: Float64Array
}

export const MixtureState = z.strictObject({
  weights: z.record(z.string(), z.number()),
  statistics: z.record(z.string(), PromptStatisticsState),
})
export type MixtureState = z.infer<typeof MixtureState>

interface Part extends MixturePart {
  weight: number
  readonly statistics: PromptStatistics
}

/**
 * R = Σ_k w_k · n_k(clip_k(R_k)), with n_k the normalisation per prompt. Parts of weight 0 are not computed.
 *
 * Normalisation uses what was seen up to the last `settle`, so that within one update it is a constant: rewards of perturbed copies
 * stay comparable, and the gradient need not go through it. What an update sees is kept apart until `settle` adds it or `discard`
 * drops it (when the update is rolled back).
 */
export class Mixture implements Reward {
  readonly name: string
  readonly #parts: readonly Part[]
  #seen: { readonly part: Part; readonly prompt: string; readonly value: number }[] = []
  #latest: readonly PartReading[] = []

  /** Throws `recipe.impossible` when two parts have one name: curves and weights go by it. */
  constructor(parts: readonly MixturePart[], name = 'reward') {
    this.name = name
    this.#parts = parts.map((part) => ({ ...part, statistics: new PromptStatistics() }))
    const names = this.partNames
    const twice = names.find((partName, i) => names.indexOf(partName) !== i)
    if (twice !== undefined) {
      throw new HalfstepError('recipe.impossible', `Two rewards are named ${twice}.`, 'Give one of them another name.', { reward: twice })
    }
  }

  get partNames(): string[] {
    return this.#parts.map(({ reward }) => reward.name)
  }

  get weights(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#parts.map(({ reward, weight }) => [reward.name, weight]))
  }

  /** Takes effect with the next picture. Throws `call.invalid` for a name that no part has or a weight that is no number. */
  setWeight(name: string, weight: number): void {
    const part = this.#parts.find(({ reward }) => reward.name === name)
    if (part === undefined) {
      throw new HalfstepError('call.invalid', `There is no reward named ${name}.`, didYouMean(name, this.partNames), { reward: name })
    }
    if (!Number.isFinite(weight)) {
      throw new HalfstepError('call.invalid', `The weight ${weight} of the reward ${name} is no number.`, 'Give a finite number.')
    }
    part.weight = weight
  }

  async evaluate(pictures: FloatTensor, prompts: readonly string[]): Promise<Float64Array> {
    const readings: PartReading[] = []
    for (const part of this.#active) {
      readings.push(this.#read(part, prompts, await part.reward.evaluate(pictures, prompts)))
    }
    return this.#total(readings, prompts.length)
  }

  /** There when every part with a weight has one. */
  get gradient(): Reward['gradient'] {
    if (this.whyNoGradient !== undefined) return undefined
    return (pictures, prompts, weights) => this.#gradient(pictures, prompts, weights)
  }

  get whyNoGradient(): string | undefined {
    const without = this.#active.filter(({ reward }) => reward.gradient === undefined)
    if (without.length === 0) return undefined
    const reason = ({ reward: { name, whyNoGradient } }: Part): string => name + (whyNoGradient === undefined ? '' : `: ${whyNoGradient}`)
    return `the gradient of ${without.map(reason).join('; of ')} is missing`
  }

  /** What each part said in the latest evaluation or gradient. */
  get latest(): readonly PartReading[] {
    return this.#latest
  }

  /** What every part says, those of weight 0 included; leaves nothing behind, for pictures that are not trained on. */
  async inspect(pictures: FloatTensor, prompts: readonly string[]): Promise<readonly PartReading[]> {
    const readings: PartReading[] = []
    for (const part of this.#parts) readings.push(reading(part, prompts, await part.reward.evaluate(pictures, prompts)))
    return readings
  }

  /** Adds what was seen since the last time to the running statistics: at the end of an update. */
  settle(): void {
    for (const { part, prompt, value } of this.#seen) part.statistics.observe(prompt, value)
    this.#seen = []
  }

  /** Forgets what was seen since the last time: the update is undone. */
  discard(): void {
    this.#seen = []
  }

  /** Weights and statistics as of the last `settle`. */
  get state(): MixtureState {
    const statistics = this.#parts.map((part) => [part.reward.name, part.statistics.state] as const)
    return { weights: this.weights, statistics: Object.fromEntries(statistics) }
  }

  /** Takes up a state where it was left. Throws `run.damaged` when it is not one of this mixture. */
  restore(state: unknown): void {
    const parsed = MixtureState.safeParse(state)
    const missing = this.partNames.find((name) => !parsed.success || parsed.data.statistics[name] === undefined)
    if (!parsed.success || missing !== undefined) {
      const message = `The saved state of the rewards does not belong to them${missing === undefined ? '' : `: it lacks ${missing}`}.`
      throw new HalfstepError('run.damaged', message, 'Resume from an earlier checkpoint.')
    }
    this.#seen = []
    for (const part of this.#parts) {
      const { name } = part.reward
      const statistics = parsed.data.statistics[name]
      if (statistics !== undefined) part.statistics.state = statistics
      part.weight = parsed.data.weights[name] ?? part.weight
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#parts.map(({ reward }) => reward.dispose()))
  }

  get #active(): Part[] {
    return this.#parts.filter(({ weight }) => weight !== 0)
  }

  /** d/dpictures Σ_b u_b R_b = Σ_k w_k Σ_b (u_b / deviation_kb) dR_kb, over those b that are not clipped. */
  async #gradient(pictures: FloatTensor, prompts: readonly string[], upstream: Float64Array): Promise<RewardGradient> {
    const readings: PartReading[] = []
    const dPictures = zeros('float32', pictures.shape)
    for (const part of this.#active) {
      const open = await openToGradient(part, pictures, prompts)
      const weights = upstream.map((u, b) => (open(b) ? (u * part.weight) / scaleOf(part, prompts[b] ?? '') : 0))
      const result = await part.reward.gradient?.(pictures, prompts, weights)
      if (result === undefined) throw new HalfstepError('internal', `The reward ${part.reward.name} lost its gradient.`)
      readings.push(this.#read(part, prompts, result.values))
      result.dPictures.data.forEach((value, i) => (dPictures.data[i] = (dPictures.data[i] ?? 0) + value))
    }
    return { values: this.#total(readings, prompts.length), dPictures }
  }

  #read(part: Part, prompts: readonly string[], raw: Float64Array): PartReading {
    if (part.normalise === true) {
      // A number that is not finite is the trainer's to catch; it must not spoil the statistics.
      raw.forEach((value, b) => {
        if (Number.isFinite(value)) this.#seen.push({ part, prompt: prompts[b] ?? '', value: clipped(part, value) })
      })
    }
    return reading(part, prompts, raw)
  }

  #total(readings: readonly PartReading[], count: number): Float64Array {
    this.#latest = readings
    return Float64Array.from({ length: count }, (_, b) => readings.reduce((sum, { weight, used }) => sum + weight * (used[b] ?? 0), 0))
  }
}

function reading(part: Part, prompts: readonly string[], raw: Float64Array): PartReading {
  const used = raw.map((value, b) => {
    const mean = part.normalise === true ? part.statistics.of(prompts[b] ?? '').mean : 0
    return (clipped(part, value) - mean) / scaleOf(part, prompts[b] ?? '')
  })
  return { name: part.reward.name, weight: part.weight, raw, used }
}

function scaleOf({ normalise, statistics }: Part, prompt: string): number {
  return normalise === true ? statistics.of(prompt).deviation : 1
}

function clipped({ clip }: Part, value: number): number {
  return clip === undefined ? value : Math.min(Math.max(value, clip[0]), clip[1])
}

/** Which pictures of a batch have a gradient: with a clip, their values must be known before it can be asked for. */
async function openToGradient(part: Part, pictures: FloatTensor, prompts: readonly string[]): Promise<(b: number) => boolean> {
  if (part.clip === undefined) return () => true
  const values = await part.reward.evaluate(pictures, prompts)
  return (b) => clipped(part, values[b] ?? NaN) === values[b]
}
