import { HalfstepError } from '../errors.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { checkBatch } from './portions.ts'
import type { Reward } from './reward.ts'

/** Gives a number per picture. It may take its time: a detector, a program, a person who looks at them. */
export type Judge = (pictures: FloatTensor, prompts: readonly string[]) => ArrayLike<number> | Promise<ArrayLike<number>>

/**
 * A plain function as a reward. It has no gradient, so half order and zeroth order train with it and first order does not.
 * `evaluate` throws `recipe.impossible` when the function gives another count of numbers than there are pictures.
 */
export function blackBox(name: string, judge: Judge): Reward {
  return {
    name,
    whyNoGradient: 'it is a function without a derivative',
    evaluate: async (pictures, prompts) => {
      checkBatch(pictures, prompts)
      const values = Float64Array.from(await judge(pictures, prompts))
      if (values.length === prompts.length) return values
      const message = `The reward ${name} gave ${values.length} numbers for ${prompts.length} pictures.`
      throw new HalfstepError('recipe.impossible', message, 'Give one number per picture.', { reward: name })
    },
    dispose: () => Promise.resolve(),
  }
}
