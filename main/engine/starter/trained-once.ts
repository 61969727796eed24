import { existsSync } from 'node:fs'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { float32, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import type { TrainedStage } from './stage.ts'

/** Under what names a file of a finished stage holds which settings it was trained with and the losses of its steps. */
const STAGE = 'halfstep.stage'
const LOSSES = 'halfstep.losses'

/**
 * What a stage made, from the file where it was kept, or from training it now and keeping it there: in float32, so that what comes
 * after it is the same either way.
 * @param stage all that decides the result: a file of another stage is trained over
 */
export async function trainedOnce(path: string, stage: string, train: () => Promise<TrainedStage>): Promise<TrainedStage> {
  const kept = await readStage(path, stage)
  if (kept !== undefined) return kept
  const trained = await train()
  const losses = float32([trained.losses.length], Float32Array.from(trained.losses))
  await writeSafetensors(path, [...trained.weights, [LOSSES, losses]], { [STAGE]: stage })
  return trained
}

async function readStage(path: string, stage: string): Promise<TrainedStage | undefined> {
  if (!existsSync(path)) return undefined
  const file = await openSafetensors(path)
  if (file.metadata.get(STAGE) !== stage) return undefined
  const tensors = new Map<string, FloatTensor>()
  for (const name of file.names()) tensors.set(name, toFloat32(await readWeight(file.find(name)!)))
  const losses = [...(tensors.get(LOSSES)?.data ?? [])]
  tensors.delete(LOSSES)
  return { weights: tensors, losses }
}
