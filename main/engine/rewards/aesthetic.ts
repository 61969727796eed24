import { openClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import { Module } from '../../../native-models/module.ts'
import { openSafetensors } from '../../../native-models/weights/safetensors.ts'
import type { WeightSource } from '../../../native-models/weights/weight-source.ts'
import { HalfstepError } from '../errors.ts'
import type { Value } from '../graph/graph.ts'
import * as ops from '../graph/ops/index.ts'
import { imageEmbedding } from './clip-towers.ts'
import type { Reward } from './reward.ts'
import { networkReward, ScoringNetwork, type RewardPlace } from './scoring-network.ts'

/**
 * How much people like a picture, about 1 to 10: LAION's improved aesthetic predictor, linear layers (768 → 1024 → 128 → 64 → 16 → 1,
 * dropout between them when it was trained, no activations) on the unit-length image embedding of OpenAI's CLIP ViT-L/14.
 * @param clip folder or file of that CLIP model
 * @param head .safetensors file with `layers.<n>.weight` and `layers.<n>.bias`; the sizes are read from it
 * @throws weights.missing-tensor and weights.wrong-shape when the head is none, or not one for this model
 */
export async function openAesthetic(clip: string, head: string, place: RewardPlace): Promise<Reward> {
  const model = await openClipModel(clip)
  const weights = await openSafetensors(head)
  const { graph, embedding } = imageEmbedding(model, place)
  graph.output('score', applyHead(Module.root(graph.scope.at('head'), weights), layersOf(weights), embedding))
  return networkReward('aesthetic', await ScoringNetwork.create(graph, place))
}

interface Layer {
  readonly name: string
  readonly outFeatures: number
}

/** The linear layers of a head, in order. Numbers are missing where dropout was. */
function layersOf(weights: WeightSource): Layer[] {
  const numbers = weights.names().flatMap((name) => /^layers\.(\d+)\.weight$/.exec(name)?.[1] ?? [])
  const layers = numbers
    .sort((a, b) => Number(a) - Number(b))
    .map((number) => ({ name: `layers.${number}`, outFeatures: weights.find(`layers.${number}.weight`)?.shape[0] ?? 0 }))
  const file = weights.description
  if (layers.length === 0) {
    const message = `${file} lacks the tensor layers.0.weight, with which an aesthetic head begins.`
    throw new HalfstepError('weights.missing-tensor', message, 'Use the head of the LAION aesthetic predictor.', { file })
  }
  const last = layers.at(-1)
  if (last?.outFeatures !== 1) {
    const message = `The last layer of ${file}, ${last?.name}, gives ${last?.outFeatures} numbers instead of one score.`
    throw new HalfstepError('weights.wrong-shape', message, 'Use the head of the LAION aesthetic predictor.', { file })
  }
  return layers
}

/** [n, d] → [n]; in float32, being small. Throws `weights.wrong-shape` where a layer does not take what it is given. */
function applyHead(m: Module, layers: readonly Layer[], embedding: Value): Value {
  const y = layers.reduce((x, { name, outFeatures }) => m.linear(name, x, outFeatures), embedding)
  return ops.reshape(m.scope, y, [-1])
}
