import { openClipModel, type ClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import { HalfstepError } from '../errors.ts'
import { Session } from '../runtime/session.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import { imageEmbedding } from './clip-towers.ts'
import type { Reward } from './reward.ts'
import { networkReward, sessionOptions, type RewardPlace } from './scoring-network.ts'
import { cosineNetwork } from './two-tower-score.ts'

/**
 * The mean cosine between a picture and each of a set of references, in a CLIP model's space. By linearity that is the product with
 * the mean of the references' embeddings, which are computed once.
 * @param references pictures [n, 3, h, w] in [0, 1]; every tensor may have a size of its own
 */
export async function openLikeness(path: string, references: readonly FloatTensor[], place: RewardPlace): Promise<Reward> {
  if (references.length === 0) {
    throw new HalfstepError('recipe.impossible', 'A likeness needs at least one reference picture.', 'Add pictures to its set.')
  }
  const model = await openClipModel(path)
  const centre = await meanEmbedding(model, references, place)
  const network = await cosineNetwork(model, 1, place)
  return networkReward('likeness', network, (prompts) => Promise.resolve({ target: repeated(centre, prompts.length) }))
}

function repeated(row: Float32Array, count: number): FloatTensor {
  return float32([count, row.length], Float32Array.from({ length: count * row.length }, (_, i) => row[i % row.length] ?? 0))
}

async function meanEmbedding(model: ClipModel, references: readonly FloatTensor[], place: RewardPlace): Promise<Float32Array> {
  const sum = new Float32Array(model.vision.config.projectionDim)
  const count = references.reduce((total, { shape }) => total + (shape[0] ?? 0), 0)
  for (const sameSize of Map.groupBy(references, ({ shape: [, , height, width] }) => `${height}×${width}`).values()) {
    await addEmbeddings(sum, model, sameSize, place)
  }
  return sum.map((value) => value / count)
}

/** Adds the embedding of every picture; all have one size, for which one session is made. */
async function addEmbeddings(sum: Float32Array, model: ClipModel, pictures: readonly FloatTensor[], place: RewardPlace): Promise<void> {
  const [, , height = 1, width = 1] = pictures[0]?.shape ?? []
  const { graph, embedding } = imageEmbedding(model, { ...place, batch: 1, height, width })
  graph.output('embedding', embedding)
  const session = await Session.create(graph, sessionOptions(place))
  try {
    const size = 3 * height * width
    for (const { shape, data } of pictures) {
      for (let i = 0; i < (shape[0] ?? 0); i++) {
        const picture = float32([1, 3, height, width], data.slice(i * size, (i + 1) * size))
        const results = await session.run({ pictures: picture }, ['embedding'])
        if (results.embedding !== undefined) toFloat32(results.embedding).data.forEach((value, k) => (sum[k] = (sum[k] ?? 0) + value))
      }
    }
  } finally {
    await session.dispose()
  }
}
