import { openClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import type { Reward } from './reward.ts'
import type { RewardPlace } from './scoring-network.ts'
import { logitFactor, twoTowerScore } from './two-tower-score.ts'

export interface PickScoreOptions {
  /** 1 gives the published score, about 20 for PickScore_v1; 100 is usual in training. */
  readonly divideBy?: number
}

/**
 * PickScore (Kirstain et al. 2023): exp(logit_scale) · cos(image, prompt) of a CLIP ViT-H that was trained on people's choices.
 * @param path PickScore_v1's folder (config.json, model.safetensors), or a file in OpenCLIP's layout
 */
export async function openPickScore(path: string, options: PickScoreOptions, place: RewardPlace): Promise<Reward> {
  const model = await openClipModel(path)
  return twoTowerScore('PickScore', model, (await logitFactor(model)) / (options.divideBy ?? 1), place)
}
