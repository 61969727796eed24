import type { FloatTensor } from '../tensor/tensor.ts'
import { openAesthetic } from './aesthetic.ts'
import { openHpsV2 } from './hps-v2.ts'
import { openLikeness } from './likeness.ts'
import { Mixture, type MixturePart } from './mixture.ts'
import { openOnnxReward } from './onnx-reward.ts'
import { openPickScore } from './pick-score.ts'
import { openPromptMatch } from './prompt-match.ts'
import type { RewardPartSpec, RewardSpec } from './reward-recipe.ts'
import type { Reward } from './reward.ts'
import type { RewardPlace } from './scoring-network.ts'
import { varietyReward } from './variety.ts'

export interface RewardContext extends RewardPlace {
  /** Reads a picture file as [1, 3, h, w] in [0, 1]; for likenesses. */
  readonly readPicture: (path: string) => Promise<FloatTensor>
}

/**
 * Opens the reward of a recipe. It always comes as a mixture, of one part where the recipe has one, so that weights, clipping,
 * normalisation and curves are the same for all. Throws what its models throw; whatever was opened by then is freed.
 * @param extra parts that no recipe can spell: functions
 */
export async function openReward(spec: RewardSpec, context: RewardContext, extra: readonly MixturePart[] = []): Promise<Mixture> {
  const specs = spec.kind === 'mixture' ? spec.parts : [spec]
  const parts: MixturePart[] = []
  try {
    for (const part of specs) {
      const { weight, clip, normalise, name } = part
      parts.push({ reward: named(await openPart(part, context), name), weight, clip, normalise })
    }
    return new Mixture([...parts, ...extra])
  } catch (error) {
    await Promise.all(parts.map(({ reward }) => reward.dispose()))
    throw error
  }
}

function openPart(spec: RewardPartSpec, context: RewardContext): Promise<Reward> {
  switch (spec.kind) {
    case 'onnx':
    case 'critic':
      return openOnnxReward(spec.path, spec, context)
    case 'taste':
      return spec.head === undefined ? openOnnxReward(spec.path, {}, context) : openAesthetic(spec.path, spec.head, context)
    case 'aesthetic':
      return openAesthetic(spec.path, spec.head, context)
    case 'prompt-match':
      return openPromptMatch(spec.path, { scale: spec.scale }, context)
    case 'pickscore':
      return openPickScore(spec.path, { divideBy: spec.divideBy }, context)
    case 'hpsv2':
      return openHpsV2(spec.path, context)
    case 'likeness':
      return openPictures(spec.pictures, context).then((pictures) => openLikeness(spec.path, pictures, context))
    case 'variety':
      return Promise.resolve(varietyReward())
  }
}

async function openPictures(paths: readonly string[], { readPicture }: RewardContext): Promise<FloatTensor[]> {
  const pictures: FloatTensor[] = []
  for (const path of paths) pictures.push(await readPicture(path))
  return pictures
}

function named(reward: Reward, name: string | undefined): Reward {
  return name === undefined ? reward : { ...reward, name }
}
