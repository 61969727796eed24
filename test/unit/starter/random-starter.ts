import { createHash } from 'node:crypto'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { starterParameters, type StarterComponent } from '../../../native-models/starter/write-starter.ts'

/** Random weights of the starter's networks, scaled so that activations stay in range. */
export function randomStarterWeights(): Record<StarterComponent, Map<string, FloatTensor>> {
  const { unet, vae, text_encoder } = starterParameters()
  const random = (parameters: typeof unet) => new Map(parameters.map(({ name, shape }) => [name, randomWeight(name, shape)]))
  return { unet: random(unet), vae: random(vae), text_encoder: random(text_encoder) }
}

function randomWeight(name: string, shape: readonly number[]): FloatTensor {
  const seed = createHash('sha256').update(name).digest().readUInt32LE()
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1)
  const deviation = shape.length === 1 ? 0.05 : 1 / Math.sqrt(fanIn)
  const mean = shape.length === 1 && name.endsWith('weight') ? 1 : 0
  const { data } = new Random(seed).normal('startingNoise', [], shape)
  return float32(shape, data.map((z) => mean + deviation * z))
}
