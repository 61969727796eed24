import { HalfstepError } from '../../errors.ts'
import { bytesPerElement, type DType } from '../../tensor/dtype.ts'
import { elementCount, formatShape } from '../../tensor/shape.ts'
import { fromBytes, toFloat32, zeros, type Tensor } from '../../tensor/tensor.ts'
import type { ValueType } from '../graph.ts'
import { dtypeOfOnnx } from './data-types.ts'
import { malformedOnnx } from './malformed.ts'
import type { OnnxTensor } from './schema.ts'

/** No tensor of a model may have more elements (8 GiB in float32): more is a damaged size, not a model. */
export const MAX_ELEMENTS = 2 ** 31

/** Element type and shape of a stored tensor. Throws `onnx.malformed` or `weights.wrong-type`. */
export function tensorType(tensor: OnnxTensor, file: string): ValueType {
  const what = `the tensor ${tensor.name ?? ''}`
  return { dtype: elementType(tensor.dataType, what, file), shape: checkedShape(tensor.dims, what, file) }
}

/** The element type behind an ONNX number. Throws `weights.wrong-type` for strings, complex numbers and 4- and 8-bit floats. */
export function elementType(number: number | undefined, what: string, file: string): DType {
  const dtype = dtypeOfOnnx(number ?? 0)
  if (dtype !== undefined) return dtype
  throw new HalfstepError(
    'weights.wrong-type',
    `${file} gives ${what} the ONNX element type ${number ?? 0}, which Halfstep does not read.`,
    'Export the model with float32, float16 or bfloat16 weights; quantised models and strings are not supported.',
    { file },
  )
}

/** The sizes themselves when they can be those of a tensor. */
export function checkedShape(sizes: readonly number[], what: string, file: string): readonly number[] {
  const possible = sizes.every((size) => Number.isSafeInteger(size) && size >= 0) && elementCount(sizes) <= MAX_ELEMENTS
  if (!possible) throw malformedOnnx(file, `${what} has the impossible shape ${formatShape(sizes)}`)
  return sizes
}

/**
 * The tensor a file stores, from its raw bytes or its typed fields. bfloat16 is widened to float32: no device computes in it.
 * Throws `onnx.malformed` when the data does not fill the shape, `weights.wrong-type` for unreadable element types.
 */
export function readTensor(tensor: OnnxTensor, file: string): Tensor {
  const { dtype, shape } = tensorType(tensor, file)
  const read = tensor.rawData === undefined ? fromFields(tensor, dtype, shape) : fromRaw(tensor.rawData, dtype, shape)
  if (read === undefined) {
    throw malformedOnnx(file, `the data of the tensor ${tensor.name ?? ''} does not fill its shape, ${dtype} ${formatShape(shape)}`)
  }
  return dtype === 'bfloat16' ? toFloat32(read) : read
}

function fromRaw(bytes: Uint8Array, dtype: DType, shape: readonly number[]): Tensor | undefined {
  return bytes.byteLength === elementCount(shape) * bytesPerElement(dtype) ? fromBytes(dtype, shape, bytes) : undefined
}

function fromFields(tensor: OnnxTensor, dtype: DType, shape: readonly number[]): Tensor | undefined {
  const numbers = typedField(tensor, dtype)
  if (numbers.length !== elementCount(shape)) return undefined
  // Half-precision numbers are stored as the patterns of their bits, one per 32-bit integer.
  if (dtype === 'float16' || dtype === 'bfloat16') return fromBytes(dtype, shape, bytesOf(Uint16Array.from(numbers)))
  const read = zeros(dtype, shape)
  const { data } = read
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) numbers.forEach((number, i) => (data[i] = toBigInt(number, dtype)))
  else data.set(numbers)
  return read
}

/** Which of TensorProto's typed fields holds the numbers (onnx.proto, "tensor content must be organized in…"). */
function typedField(tensor: OnnxTensor, dtype: DType): readonly number[] {
  switch (dtype) {
    case 'float32':
      return tensor.floatData ?? []
    case 'float64':
      return tensor.doubleData ?? []
    case 'int64':
      return tensor.int64Data ?? []
    case 'uint32':
    case 'uint64':
      return tensor.uint64Data ?? []
    default:
      return tensor.int32Data ?? []
  }
}

/** A 64-bit integer that may have been rounded past the end of its range on its way through a number. */
export function toBigInt(number: number, dtype: DType): bigint {
  const [low, high] = dtype === 'uint64' ? [0n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n]
  const exact = BigInt(number)
  return exact < low ? low : exact > high ? high : exact
}

function bytesOf(array: Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
