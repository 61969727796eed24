import type { DType } from '../../tensor/dtype.ts'
import { elementCount, type Shape } from '../../tensor/shape.ts'
import { zeros, type Tensor } from '../../tensor/tensor.ts'
import type { Scope, Value } from '../graph.ts'

/** A constant tensor whose elements are all the same number. */
export function fill(g: Scope, dtype: DType, shape: Shape, value: number): Value {
  return constant(g, dtype, shape, new Array<number>(elementCount(shape)).fill(value))
}

/** A constant tensor of the given numbers, rounded to the element type. */
export function constant(g: Scope, dtype: DType, shape: Shape, numbers: readonly number[]): Value {
  const tensor = zeros(dtype, shape)
  writeNumbers(tensor, numbers)
  return g.graph.constant(tensor, g.join('constant'))
}

function writeNumbers(tensor: Tensor, numbers: readonly number[]): void {
  const { data } = tensor
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) numbers.forEach((number, i) => (data[i] = BigInt(number)))
  else numbers.forEach((number, i) => (data[i] = number))
}
