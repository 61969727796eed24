import type { DType } from '../../tensor/dtype.ts'
import { zeros, type Tensor } from '../../tensor/tensor.ts'

/** A scalar tensor holding one number, as ONNX wants for bounds and fill values. */
export function fillTensor(dtype: DType, value: number): Tensor {
  const tensor = zeros(dtype, [])
  const { data } = tensor
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[0] = BigInt(value)
  else data[0] = value
  return tensor
}
