import { existsSync } from 'node:fs'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { toFloat32, type Tensor } from '../tensor/tensor.ts'
import type { NetworkTrainer } from './network-trainer.ts'

const STAGE = 'halfstep.stage'

/** Where a network's training has got to: the losses so far, one per step. */
export interface Progress {
  readonly losses: readonly number[]
}

/** Writes the trainer's state and the losses so far, atomically. @param stage says what is trained and how, to know it again */
export async function saveProgress(path: string, stage: string, trainer: NetworkTrainer, losses: readonly number[]): Promise<void> {
  const { weights, state } = trainer
  const vectors = {
    weights: weights.values,
    first: state.first,
    second: state.second,
    average: state.average,
    losses: Float32Array.from(losses),
  }
  const tensors = Object.entries(vectors).map(([name, data]): [string, Tensor] => [name, { dtype: 'float32', shape: [data.length], data }])
  await writeSafetensors(path, tensors, { [STAGE]: stage })
}

/** Puts the trainer where `saveProgress` left it. Gives undefined, and changes nothing, when there is no file of this very stage. */
export async function loadProgress(path: string, stage: string, trainer: NetworkTrainer): Promise<Progress | undefined> {
  if (!existsSync(path)) return undefined
  const file = await openSafetensors(path)
  if (file.metadata.get(STAGE) !== stage) return undefined
  const read = async (name: string): Promise<Float32Array> => {
    const entry = file.find(name)
    return entry === undefined ? new Float32Array() : toFloat32(await readWeight(entry)).data
  }
  const { weights, state } = trainer
  const losses = [...(await read('losses'))]
  weights.values.set(await read('weights'))
  state.first.set(await read('first'))
  state.second.set(await read('second'))
  state.average.set(await read('average'))
  state.steps = losses.length
  return { losses }
}
