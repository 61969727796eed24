import { bytesPerElement } from '../../main/engine/tensor/dtype.ts'
import { toBytes, zeros, type Tensor } from '../../main/engine/tensor/tensor.ts'
import { fillFrom, withFile } from './file-bytes.ts'
import type { WeightEntry } from './weight-source.ts'

/** Reads one weight into memory, in the shape its entry states. Throws `file.*` or `weights.malformed`. */
export async function readWeight(entry: WeightEntry): Promise<Tensor> {
  const stored = zeros(entry.dtype, entry.shape)
  await withFile(entry.file, (handle) => fillFrom(handle, entry.file, entry.byteOffset, toBytes(stored)))
  return entry.transposed ? transpose(stored) : stored
}

/** Row-major [rows, columns] out of memory that holds [columns, rows]. */
function transpose(stored: Tensor): Tensor {
  const [rows = 1, columns = 1] = stored.shape
  const result = zeros(stored.dtype, stored.shape)
  const width = bytesPerElement(stored.dtype)
  const from = toBytes(stored)
  const to = toBytes(result)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const source = (column * rows + row) * width
      to.set(from.subarray(source, source + width), (row * columns + column) * width)
    }
  }
  return result
}
