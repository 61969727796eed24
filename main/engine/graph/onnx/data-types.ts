import type { DType } from '../../tensor/dtype.ts'

/** `TensorProto.DataType` numbers. */
const NUMBERS: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
}

const NAMES = new Map(Object.entries(NUMBERS).map(([name, number]) => [number, name as DType]))

export function onnxTypeOf(dtype: DType): number {
  return NUMBERS[dtype]
}

/** The element type behind an ONNX number, or undefined for those Halfstep has none for (strings, complex, 4- and 8-bit floats). */
export function dtypeOfOnnx(number: number): DType | undefined {
  return NAMES.get(number)
}
