import type { DType } from './dtype.ts'
import { elementCount, type Shape } from './shape.ts'

/** The array type that holds each element type in memory. bfloat16 travels as its raw 16-bit patterns. */
export interface DataOf {
  float32: Float32Array
  float16: Float16Array
  bfloat16: Uint16Array
  float64: Float64Array
  int64: BigInt64Array
  int32: Int32Array
  int16: Int16Array
  int8: Int8Array
  uint64: BigUint64Array
  uint32: Uint32Array
  uint16: Uint16Array
  uint8: Uint8Array
  bool: Uint8Array
}

/** A dense row-major tensor in host memory. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D
  readonly shape: Shape
  readonly data: DataOf[D]
}

export type FloatTensor = Tensor<'float32'>

const ARRAYS: { readonly [D in DType]: new (source: number | ArrayBuffer) => DataOf[D] } = {
  float32: Float32Array,
  float16: Float16Array,
  bfloat16: Uint16Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
}

/** A float32 tensor over the given numbers. Throws a RangeError when the count does not fit the shape. */
export function float32(shape: Shape, data: Float32Array | readonly number[]): FloatTensor {
  if (data.length !== elementCount(shape)) throw new RangeError(`${data.length} numbers do not fill shape [${shape.join(', ')}]`)
  return { dtype: 'float32', shape, data: data instanceof Float32Array ? data : Float32Array.from(data) }
}

/** An int64 tensor over the given integers. */
export function int64(shape: Shape, data: readonly number[]): Tensor<'int64'> {
  if (data.length !== elementCount(shape)) throw new RangeError(`${data.length} numbers do not fill shape [${shape.join(', ')}]`)
  return { dtype: 'int64', shape, data: BigInt64Array.from(data, BigInt) }
}

/** A tensor of zeros. */
export function zeros<D extends DType>(dtype: D, shape: Shape): Tensor<D> {
  return { dtype, shape, data: new ARRAYS[dtype](elementCount(shape)) }
}

/** A tensor over raw little-endian bytes, copied so that alignment never matters. */
export function fromBytes<D extends DType>(dtype: D, shape: Shape, bytes: Uint8Array): Tensor<D> {
  const buffer = new ArrayBuffer(bytes.byteLength)
  new Uint8Array(buffer).set(bytes)
  return { dtype, shape, data: new ARRAYS[dtype](buffer) }
}

/** The raw little-endian bytes of a tensor, without a copy. */
export function toBytes(tensor: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = tensor.data
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** The same numbers as float32; integers beyond 2²⁴ are rounded. */
export function toFloat32(tensor: Tensor): FloatTensor {
  if (isDType(tensor, 'float32')) return tensor
  if (isDType(tensor, 'bfloat16')) return { dtype: 'float32', shape: tensor.shape, data: widenBfloat16(tensor.data) }
  return { dtype: 'float32', shape: tensor.shape, data: Float32Array.from(tensor.data as ArrayLike<number | bigint>, Number) }
}

/** Whether a tensor has this element type; narrows its data with it. */
export function isDType<D extends DType>(tensor: Tensor, dtype: D): tensor is Tensor<D> {
  return tensor.dtype === dtype
}

/** bfloat16 is the upper half of a float32: widening appends sixteen zero bits. */
function widenBfloat16(patterns: Uint16Array): Float32Array {
  const bits = new Uint32Array(patterns.length)
  for (let i = 0; i < patterns.length; i++) bits[i] = (patterns[i] ?? 0) << 16
  return new Float32Array(bits.buffer)
}
