import { openClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import type { Reward } from './reward.ts'
import type { RewardPlace } from './scoring-network.ts'
import { logitFactor, twoTowerScore } from './two-tower-score.ts'

export interface PromptMatchOptions {
  /** `cosine` is in [−1, 1]; `logit` is the cosine times the factor the model was trained with, 100 for OpenAI's. */
  readonly scale?: 'cosine' | 'logit'
}

/** How well a picture fits its prompt: CLIPScore without its cut at zero (Hessel et al. 2021). */
export async function openPromptMatch(path: string, options: PromptMatchOptions, place: RewardPlace): Promise<Reward> {
  const model = await openClipModel(path)
  return twoTowerScore('prompt match', model, options.scale === 'logit' ? await logitFactor(model) : 1, place)
}
