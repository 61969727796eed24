import { HalfstepError } from '../errors.ts'
import { mean } from '../rlr/batch-arithmetic.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { Reward } from './reward.ts'

export interface ReferenceOptions {
  /** What the base model reaches for each reference prompt: see {@link measureFloors}. */
  readonly floors: ReadonlyMap<string, number>
  /** How much a fall below the floor counts against a rise on other prompts; positive. */
  readonly strength: number
}

/**
 * A reward that also guards what the model could do before: for a reference prompt with floor f it is strength · min(0, R − f), which
 * a picture can only lose by, and for all other prompts R itself. Reference prompts are to be mixed into the batches.
 * Throws `recipe.impossible` for a strength that is not positive.
 */
export function referenceReward(reward: Reward, { floors, strength }: ReferenceOptions): Reward {
  if (!(strength > 0)) {
    const message = `The strength ${strength} of the reference prompts is not positive.`
    throw new HalfstepError('recipe.impossible', message, 'Leave the reference prompts out, or give a strength above 0.')
  }
  const judged = (value: number, prompt: string): number => {
    const floor = floors.get(prompt)
    return floor === undefined ? value : strength * Math.min(0, value - floor)
  }
  /** dR'/dR */
  const slope = (value: number, prompt: string): number => {
    const floor = floors.get(prompt)
    if (floor === undefined) return 1
    return value < floor ? strength : 0
  }
  const all = (values: Float64Array, prompts: readonly string[]): Float64Array => values.map((value, b) => judged(value, prompts[b] ?? ''))
  const { gradient } = reward
  return {
    name: reward.name,
    whyNoGradient: reward.whyNoGradient,
    evaluate: async (pictures, prompts) => all(await reward.evaluate(pictures, prompts), prompts),
    gradient: gradient && (async (pictures, prompts, weights) => {
      // Whether a picture is below its floor must be known before its gradient is asked for.
      const guarded = prompts.some((prompt) => floors.has(prompt))
      const before = guarded ? await reward.evaluate(pictures, prompts) : undefined
      const sloped = weights.map((weight, b) => weight * slope(before?.[b] ?? 0, prompts[b] ?? ''))
      const { values, dPictures } = await gradient(pictures, prompts, sloped)
      return { values: all(values, prompts), dPictures }
    }),
    dispose: () => reward.dispose(),
  }
}

/** The mean reward of each prompt, from pictures that the model drew before it was trained. */
export async function measureFloors(reward: Reward, pictures: FloatTensor, prompts: readonly string[]): Promise<Map<string, number>> {
  const values = await reward.evaluate(pictures, prompts)
  const byPrompt = Map.groupBy(prompts.map((prompt, b) => ({ prompt, value: values[b] ?? NaN })), ({ prompt }) => prompt)
  return new Map([...byPrompt].map(([prompt, entries]) => [prompt, mean(entries.map(({ value }) => value))]))
}
