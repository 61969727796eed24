import type { FloatTensor } from '../tensor/tensor.ts'

/**
 * A judgement of pictures: the larger the better. Pictures are [b, 3, h, w], RGB in [0, 1]; numbers outside of that range occur
 * (a decoder overshoots) and must not make a reward fail.
 */
export interface Reward {
  /** Said in curves and reports. */
  readonly name: string
  /** R per picture. `prompts` has one per picture; a reward that looks at pictures only ignores it. */
  evaluate(pictures: FloatTensor, prompts: readonly string[]): Promise<Float64Array>
  /** R per picture and Σ_b weight_b dR_b/dpictures [b, 3, h, w]. Absent when the reward is a black box. */
  readonly gradient?: ((pictures: FloatTensor, prompts: readonly string[], weights: Float64Array) => Promise<RewardGradient>) | undefined
  /** Why there is no gradient, to complete "NAME has no gradient: …". */
  readonly whyNoGradient?: string | undefined
  /** Frees what the reward holds on a device. */
  dispose(): Promise<void>
}

export interface RewardGradient {
  readonly values: Float64Array
  readonly dPictures: FloatTensor
}
