import { join } from 'node:path'
import { writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { Graph } from '../graph/graph.ts'
import { saveOnnx } from '../graph/onnx/save-onnx.ts'
import * as ops from '../graph/ops/index.ts'
import { float32 } from '../tensor/tensor.ts'
import { OWN_SIDE, ownFeatures } from './own-features.ts'

/** A linear head on features. */
export interface Head {
  readonly weights: Float64Array
  readonly bias: number
}

/** Rewards of other batches are computed in portions of this size. */
const BATCH = 8

/** Writes a head on Halfstep's own features as an ONNX model that takes pictures [8, 3, 64, 64] in [0, 1] and gives a `score` [8]. */
export async function saveOwnTaste(folder: string, { weights, bias }: Head): Promise<string> {
  const graph = new Graph()
  const g = graph.scope
  const pictures = graph.input('pictures', 'float32', [BATCH, 3, OWN_SIDE, OWN_SIDE])
  const head = ops.constant(g, 'float32', [weights.length, 1], [...weights])
  graph.output('score', ops.shift(g, ops.reshape(g, ops.matMul(g, ownFeatures(g, pictures), head), [BATCH]), bias))
  const file = join(folder, 'taste.onnx')
  await saveOnnx(file, graph)
  return file
}

/** Writes a head on a CLIP model's embeddings the way the aesthetic predictor's is kept: one linear layer. */
export async function saveClipTaste(folder: string, { weights, bias }: Head): Promise<string> {
  const file = join(folder, 'taste.safetensors')
  await writeSafetensors(file, [
    ['layers.0.weight', float32([1, weights.length], Float32Array.from(weights))],
    ['layers.0.bias', float32([1], [bias])],
  ])
  return file
}
