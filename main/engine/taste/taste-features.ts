import { openClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import { Graph } from '../graph/graph.ts'
import { decodePicture, inspectPicture } from '../pictures/picture-file.ts'
import { readPictureBytes } from '../pictures/read-picture.ts'
import type { Device, Precision } from '../protocol.ts'
import { imageEmbedding } from '../rewards/clip-towers.ts'
import { portion, starts } from '../rewards/portions.ts'
import { Session } from '../runtime/session.ts'
import { float32, toFloat32 } from '../tensor/tensor.ts'
import { OWN_SIDE, ownFeatures } from './own-features.ts'

export interface FeaturePlace {
  readonly device: Device
  readonly precision: Precision
}

const BATCH = 4
const FEATURES = 'features'

/**
 * A row of features per picture file: a CLIP model's embedding of length one, or Halfstep's own where there is no such model.
 * Throws `file.*` and `picture.malformed`, naming the file, and what opening the CLIP model throws.
 * @param onDone told how many pictures were looked at
 */
export async function tasteFeatures(
  paths: readonly string[],
  clip: string | undefined,
  place: FeaturePlace,
  onDone: (done: number) => void,
): Promise<Float32Array[]> {
  const { graph, side } = clip === undefined ? ownGraph() : await clipGraph(clip, place)
  const session = await Session.create(graph, { device: place.device })
  try {
    const rows: Float32Array[] = []
    for (const start of starts(paths.length, BATCH)) {
      const pictures = await picturesAt(paths.slice(start, start + BATCH), side)
      const { [FEATURES]: features } = await session.run({ pictures: portion(pictures, 0, BATCH) }, [FEATURES])
      const data = features === undefined ? new Float32Array(0) : toFloat32(features).data
      const width = data.length / BATCH
      for (let i = 0; i < pictures.shape[0]!; i++) rows.push(data.slice(i * width, (i + 1) * width))
      onDone(rows.length)
    }
    return rows
  } finally {
    await session.dispose()
  }
}

interface FeatureGraph {
  readonly graph: Graph
  readonly side: number
}

function ownGraph(): FeatureGraph {
  const graph = new Graph()
  const pictures = graph.input('pictures', 'float32', [BATCH, 3, OWN_SIDE, OWN_SIDE])
  graph.output(FEATURES, ownFeatures(graph.scope, pictures))
  return { graph, side: OWN_SIDE }
}

async function clipGraph(path: string, place: FeaturePlace): Promise<FeatureGraph> {
  const model = await openClipModel(path)
  const side = model.vision.config.imageSize
  const { graph, embedding } = imageEmbedding(model, { ...place, batch: BATCH, height: side, width: side })
  graph.output(FEATURES, embedding)
  return { graph, side }
}

/** [n, 3, side, side], the middle of pictures that are not square. */
async function picturesAt(paths: readonly string[], side: number) {
  const data = new Float32Array(paths.length * 3 * side ** 2)
  for (const [i, path] of paths.entries()) {
    const bytes = await readPictureBytes(path)
    await inspectPicture(bytes, path)
    data.set((await decodePicture(bytes, { width: side, height: side }, path)).data, i * 3 * side ** 2)
  }
  return float32([paths.length, 3, side, side], data)
}
