import { onnxTypeOf } from '../graph/onnx/data-types.ts'
import type { OnnxModel, OnnxValueInfo } from '../graph/onnx/schema.ts'
import { impossible } from './score-target.ts'

/** The input of an ONNX model that takes pictures, [batch, 3, height, width]. */
export interface PictureSlot {
  readonly name: string
  readonly batch: number
  readonly height: number
  readonly width: number
}

/**
 * The only input of a model, which must take float32 pictures. Sizes that the file fixes count; those it leaves open are taken from
 * `preferred`. Throws `recipe.impossible` when the input is something else, naming it.
 */
export function pictureSlot(model: OnnxModel, file: string, preferred: Omit<PictureSlot, 'name'>): PictureSlot {
  const stored = new Set(model.graph?.initializer.map(({ name }) => name))
  const inputs = model.graph?.input.filter(({ name }) => !stored.has(name)) ?? []
  const [input] = inputs
  if (input === undefined || inputs.length > 1) {
    const names = inputs.map(({ name }) => name ?? '').join(', ')
    const cause = `it has ${inputs.length} inputs (${names}), where one for the pictures is needed`
    throw impossible(file, cause, 'Export it with that input only.')
  }
  const name = input.name ?? ''
  const [batch, channels, height, width] = pictureAxes(input, file)
  if (channels !== undefined && channels !== 3) {
    throw impossible(file, `its input ${name} has ${channels} channels, not 3`, 'Export it for pictures [batch, 3, height, width].')
  }
  return { name, batch: batch ?? preferred.batch, height: height ?? preferred.height, width: width ?? preferred.width }
}

/** The sizes of the four axes; undefined where they are open. */
function pictureAxes({ name = '', type }: OnnxValueInfo, file: string): (number | undefined)[] {
  const dim = type?.tensorType?.shape?.dim
  if (type?.tensorType?.elemType !== onnxTypeOf('float32') || dim?.length !== 4) {
    const cause = `its input ${name} does not take float32 pictures [batch, 3, height, width]`
    throw impossible(file, cause, 'Export it with such an input.')
  }
  // Exporters of old wrote an open axis as 0 or −1.
  return dim.map(({ dimValue }) => (dimValue !== undefined && dimValue > 0 ? dimValue : undefined))
}
