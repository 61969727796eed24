import type { ClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { HalfstepError } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import * as ops from '../graph/ops/index.ts'
import { toFloat32 } from '../tensor/tensor.ts'
import { imageEmbedding, TextEmbedder } from './clip-towers.ts'
import type { Reward } from './reward.ts'
import { networkReward, ScoringNetwork, type RewardPlace } from './scoring-network.ts'

/**
 * R = factor · cos(image, prompt) in a CLIP model's space: what prompt match, PickScore and HPSv2 have in common. Differentiable by
 * the pictures. Throws as the towers do.
 */
export async function twoTowerScore(name: string, model: ClipModel, factor: number, place: RewardPlace): Promise<Reward> {
  const text = await TextEmbedder.create(model, place)
  const network = await cosineNetwork(model, factor, place)
  return networkReward(name, network, async (prompts) => ({ target: await text.embed(prompts) }), [text])
}

/** `score` = factor · ⟨image embedding, `target`⟩, with a row of `target` [batch, d] for each picture. */
export function cosineNetwork(model: ClipModel, factor: number, place: RewardPlace): Promise<ScoringNetwork> {
  const { graph, embedding } = imageEmbedding(model, place)
  const g = graph.scope.at('score')
  const target: Value = graph.input('target', 'float32', embedding.shape)
  graph.output('score', ops.scale(g, ops.sum(g, ops.mul(g, embedding, target), [1]), factor))
  return ScoringNetwork.create(graph, place)
}

/** exp(logit_scale): what a model's cosines are multiplied by where it was trained. Throws `weights.missing-tensor`. */
export async function logitFactor({ path, logitScale }: ClipModel): Promise<number> {
  if (logitScale === undefined) {
    const message = `${path} lacks the tensor logit_scale.`
    throw new HalfstepError('weights.missing-tensor', message, 'Use the whole CLIP model.', { file: path, tensor: 'logit_scale' })
  }
  return Math.exp(toFloat32(await readWeight(logitScale)).data[0] ?? NaN)
}
