import { zeros, type FloatTensor } from '../tensor/tensor.ts'
import { checkBatch } from './portions.ts'
import type { Reward } from './reward.ts'

/** Keeps the derivative of a distance finite between pictures that are equal. */
const TINY = 1e-8

/**
 * How different a picture is from the others of its prompt in the batch: the mean over them of √(mean (x − y)²) over all numbers of
 * the picture, 0 … 1; 0 where its prompt has no other. The others count as given, so that the gradient is that of one's own picture
 * only, as a likelihood ratio has it too: together, half the gradient of the mean over all pairs.
 */
export function varietyReward(): Reward {
  return {
    name: 'variety',
    evaluate: async (pictures, prompts) => varieties(pictures, prompts, () => undefined),
    gradient: async (pictures, prompts, weights) => {
      const dPictures = zeros('float32', pictures.shape)
      const size = dPictures.data.length / prompts.length
      const values = varieties(pictures, prompts, (a, b, distance, share) => {
        const scale = ((weights[a] ?? 0) * share) / (size * distance)
        for (let k = 0; k < size; k++) {
          dPictures.data[a * size + k]! += scale * (pictures.data[a * size + k]! - pictures.data[b * size + k]!)
        }
      })
      return { values, dPictures }
    },
    dispose: () => Promise.resolve(),
  }
}

/** @param onPair called with every ordered pair of pictures of one prompt, their distance, and its share in the first one's variety */
function varieties(
  pictures: FloatTensor,
  prompts: readonly string[],
  onPair: (a: number, b: number, distance: number, share: number) => void,
): Float64Array {
  checkBatch(pictures, prompts)
  const values = new Float64Array(prompts.length)
  const size = pictures.data.length / prompts.length
  for (const members of Map.groupBy(prompts.keys(), (b) => prompts[b]).values()) {
    for (const a of members) {
      for (const b of members) {
        if (a === b) continue
        const distance = distanceBetween(pictures.data, a * size, b * size, size)
        values[a]! += distance / (members.length - 1)
        onPair(a, b, distance, 1 / (members.length - 1))
      }
    }
  }
  return values
}

function distanceBetween(data: Float32Array, a: number, b: number, size: number): number {
  let sum = 0
  for (let k = 0; k < size; k++) sum += (data[a + k]! - data[b + k]!) ** 2
  return Math.sqrt(sum / size + TINY ** 2)
}
