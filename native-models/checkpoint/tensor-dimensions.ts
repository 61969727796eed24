import { HalfstepError } from '../../main/engine/errors.ts'
import { formatShape, type Shape } from '../../main/engine/tensor/shape.ts'
import type { WeightSource } from '../weights/weight-source.ts'

/**
 * The shape of a weight from which a config is inferred.
 * Throws `weights.missing-tensor`, or `weights.wrong-shape` when it has another number of dimensions.
 */
export function dimensions(source: WeightSource, name: string, rank: number): Shape {
  const shape = source.find(name)?.shape
  const details = { file: source.description, tensor: name }
  if (shape === undefined) {
    const message = `${source.description} lacks the tensor ${name}.`
    throw new HalfstepError('weights.missing-tensor', message, 'The file is incomplete; download it again.', details)
  }
  if (shape.length !== rank) {
    const message = `${source.description} stores the tensor ${name} with shape ${formatShape(shape)}, where ${rank} dimensions are needed.`
    throw new HalfstepError('weights.wrong-shape', message, 'The file is damaged; download it again.', details)
  }
  return shape
}
