import { describe, expect, it } from 'vitest'
import { onnxTypeOf } from '../../../main/engine/graph/onnx/data-types.ts'
import { readTensor } from '../../../main/engine/graph/onnx/read-tensor.ts'
import type { OnnxTensor } from '../../../main/engine/graph/onnx/schema.ts'
import type { DType } from '../../../main/engine/tensor/dtype.ts'

const read = (dtype: DType, fields: Partial<OnnxTensor>, dims: number[] = [2]) =>
  readTensor({ name: 'w', dims, dataType: onnxTypeOf(dtype), ...fields }, 'model.onnx')

describe('a stored tensor', () => {
  it.each<[DType, Partial<OnnxTensor>, (number | bigint)[]]>([
    ['float32', { floatData: [0.5, -2] }, [0.5, -2]],
    ['float64', { doubleData: [0.1, -2] }, [0.1, -2]],
    ['int64', { int64Data: [3, -4] }, [3n, -4n]],
    ['uint64', { uint64Data: [3, 4] }, [3n, 4n]],
    ['uint32', { uint64Data: [3, 4_000_000_000] }, [3, 4_000_000_000]],
    ['int32', { int32Data: [3, -4] }, [3, -4]],
    ['int16', { int32Data: [3, -4] }, [3, -4]],
    ['uint16', { int32Data: [3, 65535] }, [3, 65535]],
    ['int8', { int32Data: [3, -4] }, [3, -4]],
    ['uint8', { int32Data: [3, 255] }, [3, 255]],
    ['bool', { int32Data: [1, 0] }, [1, 0]],
    ['float16', { int32Data: [0x3800, 0xc000] }, [0.5, -2]],
  ])('of %s is read from its typed field', (dtype, fields, expected) => {
    const tensor = read(dtype, fields)
    expect(tensor.dtype).toBe(dtype)
    expect([...tensor.data]).toEqual(expected)
  })

  it('of bfloat16 is widened, from bytes or from its field', () => {
    expect(read('bfloat16', { int32Data: [0x3f00, 0xc000] })).toMatchObject({ dtype: 'float32', data: Float32Array.of(0.5, -2) })
    expect(read('bfloat16', { rawData: Uint8Array.of(0x00, 0x3f, 0x00, 0xc0) })).toMatchObject({
      dtype: 'float32',
      data: Float32Array.of(0.5, -2),
    })
  })

  it('of no axes is a scalar, of a size 0 is empty', () => {
    expect(read('float32', { floatData: [3] }, [])).toMatchObject({ shape: [], data: Float32Array.of(3) })
    expect(read('float32', {}, [0, 4])).toMatchObject({ shape: [0, 4], data: new Float32Array() })
  })

  it('keeps the largest integers, which mean "to the end"', () => {
    expect([...read('int64', { int64Data: [2 ** 63, -(2 ** 63)] }).data]).toEqual([2n ** 63n - 1n, -(2n ** 63n)])
  })

  it('does not keep the bytes it was read from', () => {
    const rawData = new Uint8Array(Float32Array.of(1, 2).buffer)
    const tensor = read('float32', { rawData })
    rawData.fill(0)
    expect([...tensor.data]).toEqual([1, 2])
  })
})
