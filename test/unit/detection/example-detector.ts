import { writeFileSync } from 'node:fs'
import type { DType } from '../../../main/engine/tensor/dtype.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { buildModel, declared, node, stored } from '../onnx/build-model.ts'

export interface ExampleDetector {
  /** What it always says. */
  readonly shape: readonly number[]
  readonly numbers: readonly number[]
  /** Axes of its input; a text is open. */
  readonly input?: readonly (number | string)[]
  readonly type?: DType
  /** As YOLO's exporter writes them. */
  readonly names?: string
}

/** An ONNX file that says the same of every picture: its numbers, and the mean of the pixels times nothing. */
export function writeDetector(path: string, { shape, numbers, input = [1, 3, 64, 64], type = 'float32', names }: ExampleDetector): string {
  const graph = {
    input: [declared('images', type, input)],
    output: [declared('output0', 'float32', shape)],
    initializer: [stored('numbers', float32(shape, numbers)), stored('nothing', float32([], [0]))],
    node: [
      node('Cast', ['images'], ['pixels'], { to: 1 }),
      node('ReduceMean', ['pixels'], ['mean'], { keepdims: 0 }),
      node('Mul', ['mean', 'nothing'], ['none']),
      node('Add', ['numbers', 'none'], ['output0']),
    ],
  }
  writeFileSync(path, buildModel(graph, names === undefined ? {} : { metadataProps: [{ key: 'names', value: names }] }))
  return path
}

/** Columns of boxes [centre x, centre y, width, height, …scores] as YOLO 8 lays them out, filled up with boxes that are nothing. */
export function columns(boxes: readonly (readonly number[])[], count = 12): Pick<ExampleDetector, 'shape' | 'numbers'> {
  const lines = boxes[0]?.length ?? 5
  const numbers = Array.from({ length: lines * count }, (_, i) => boxes[i % count]?.[Math.floor(i / count)] ?? 0)
  return { shape: [1, lines, count], numbers }
}
