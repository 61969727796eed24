import type { DType } from '../../../tensor/dtype.ts'

/** The element type a model is imported with: bfloat16 becomes float32, since no device computes in it. */
export function importedType(dtype: DType): DType {
  return dtype === 'bfloat16' ? 'float32' : dtype
}
