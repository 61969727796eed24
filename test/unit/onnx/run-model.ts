import * as ort from 'onnxruntime-node'
import { elementCount } from '../../../main/engine/tensor/shape.ts'
import { toFloat32, type Tensor } from '../../../main/engine/tensor/tensor.ts'

type Tensors = Readonly<Record<string, Tensor>>

/** Runs an .onnx file, or its bytes, as ONNX Runtime alone does it: nothing of ours is between. */
export async function runFile(model: string | Uint8Array, feeds: Tensors): Promise<Record<string, Tensor>> {
  const options = { logSeverityLevel: 4, intraOpNumThreads: 1 } as const
  const session = await (typeof model === 'string'
    ? ort.InferenceSession.create(model, options)
    : ort.InferenceSession.create(model, options))
  try {
    const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toRuntime(tensor)])))
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromRuntime(tensor)]))
  } finally {
    await session.release()
  }
}

/** ‖a − b‖ / ‖b‖; NaN when they differ in shape or hold NaN. */
export function relativeError(a: Tensor | undefined, b: Tensor | undefined): number {
  if (a === undefined || b === undefined || a.shape.join() !== b.shape.join()) return NaN
  const [left, right] = [toFloat32(a).data, toFloat32(b).data]
  let difference = 0
  let size = 0
  for (let i = 0; i < elementCount(b.shape); i++) {
    difference += (left[i]! - right[i]!) ** 2
    size += right[i]! ** 2
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size)
}

function toRuntime(tensor: Tensor): ort.Tensor {
  return new ort.Tensor(tensor.dtype as 'float32', tensor.data as Float32Array, tensor.shape)
}

function fromRuntime(tensor: ort.Tensor): Tensor {
  return { dtype: tensor.type as 'float32', shape: tensor.dims, data: tensor.data as Float32Array }
}
