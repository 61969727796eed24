/** The starter with random weights, a random critic and random adapters, as files: nothing has been learned, and all of it runs. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAdapter } from '../../../main/engine/adapters/adapter-file.ts'
import { latentSize } from '../../../main/engine/evaluation/evaluate-starter.ts'
import { Graph } from '../../../main/engine/graph/graph.ts'
import { WeightVector } from '../../../main/engine/network-training/weight-vector.ts'
import { StableDiffusion } from '../../../main/engine/pipeline/stable-diffusion.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { criticModel } from '../../../main/engine/starter/train-critic.ts'
import type { FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { isTarget } from '../../../main/engine/training/adapter-targets.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { Module } from '../../../native-models/module.ts'
import { criticLogits } from '../../../native-models/starter/critic.ts'
import { writeStarter } from '../../../native-models/starter/write-starter.ts'
import { weightSource } from '../../../native-models/weights/weight-source.ts'
import { randomStarterWeights } from '../starter/random-starter.ts'

export interface StarterFiles {
  readonly model: string
  readonly critic: string
  /** Writes a LoRA with random matrices of this size. */
  adapter(name: string, size: number): Promise<string>
}

export async function writeRandomStarter(folder: string): Promise<StarterFiles> {
  const [model, critic] = [join(folder, 'starter'), join(folder, 'critic.onnx')]
  await writeStarter(model, randomStarterWeights())
  await writeFile(critic, criticModel(randomCritic(), 4))
  return { model, critic, adapter: (name, size) => randomAdapter(model, join(folder, `${name}.safetensors`), size) }
}

function randomCritic(): ReadonlyMap<string, FloatTensor> {
  const graph = new Graph()
  const m = Module.root(graph.scope, weightSource('(random)', []), { trainable: () => true })
  criticLogits(m, graph.input('pictures', 'float32', [1, 3, 64, 64]))
  return WeightVector.initial(m.parameters, new Random(7)).tensors
}

async function randomAdapter(model: string, path: string, size: number): Promise<string> {
  const checkpoint = await openCheckpoint(model)
  const trained = { rank: 2, alpha: 2, target: (layer: string) => isTarget(['attention'], layer) }
  const place = { device: 'cpu', precision: 'float32', batch: 1, ...latentSize(checkpoint) } as const
  const pipeline = await StableDiffusion.open(checkpoint, { ...place, trained })
  const { data } = new Random(9).normal('initialisation', [], [pipeline.layout.size])
  await writeAdapter(path, pipeline.toAdapter(data.map((value) => size * value)), { format: 'kohya', family: checkpoint.family })
  await pipeline.dispose()
  return path
}
