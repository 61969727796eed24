import { openClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import type { Reward } from './reward.ts'
import type { RewardPlace } from './scoring-network.ts'
import { twoTowerScore } from './two-tower-score.ts'

/**
 * Human Preference Score v2 and v2.1 (Wu et al. 2023): cos(image, prompt) of a CLIP ViT-H that was trained on people's choices.
 * @param path a .safetensors file with the names of OpenCLIP, as the score was published, or a folder in transformers' layout
 */
export async function openHpsV2(path: string, place: RewardPlace): Promise<Reward> {
  return twoTowerScore('HPSv2', await openClipModel(path), 1, place)
}
