import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fromBytes, float32, int64, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { assertFinite } from '../../../native-models/weights/finite.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { expectRefusal, temporaryFolder } from './crafted.ts'

async function fileOf(tensors: readonly (readonly [string, Tensor])[]) {
  const path = join(await temporaryFolder(), 'weights.safetensors')
  await writeSafetensors(path, tensors)
  return await openSafetensors(path)
}

const bits16 = (dtype: 'float16' | 'bfloat16', ...patterns: number[]) =>
  fromBytes(dtype, [patterns.length], new Uint8Array(Uint16Array.from(patterns).buffer))

test('accepts the largest finite numbers of every type, and integers', async () => {
  const file = await fileOf([
    ['f32', float32([3], [3.4028234663852886e38, -1e-45, 0])],
    ['f16', bits16('float16', 0x7bff, 0xfbff, 0x0001)],
    ['bf16', bits16('bfloat16', 0x7f7f, 0xff7f, 0x0001)],
    ['f64', fromBytes('float64', [1], new Uint8Array(new Float64Array([1.7976931348623157e308]).buffer))],
    ['i64', int64([1], [-1])],
  ])
  await expect(assertFinite(file)).resolves.toBeUndefined()
})

test('refuses NaN and infinity of every type, naming file and tensor', async () => {
  const bad: Tensor[] = [
    float32([2], [0, NaN]),
    float32([2], [-Infinity, 0]),
    bits16('float16', 0, 0x7c00),
    bits16('float16', 0xfe01),
    bits16('bfloat16', 0x7f80),
    bits16('bfloat16', 0, 0xffc0),
    fromBytes('float64', [1], new Uint8Array(new Float64Array([NaN]).buffer)),
  ]
  for (const tensor of bad) {
    const file = await fileOf([
      ['good', float32([1], [1])],
      ['some.weight', tensor],
    ])
    await expectRefusal(assertFinite(file), 'weights.not-finite', 'weights.safetensors', 'some.weight')
  }
})

test('finds the last number of a weight larger than one chunk', async () => {
  const numbers = new Float32Array(3_000_001)
  numbers[3_000_000] = NaN
  await expectRefusal(assertFinite(await fileOf([['large', float32([3_000_001], numbers)]])), 'weights.not-finite', 'large')
})

test('looks at the named weights only, when names are given', async () => {
  const file = await fileOf([
    ['good', float32([1], [1])],
    ['bad', float32([1], [NaN])],
  ])
  await expect(assertFinite(file, ['good'])).resolves.toBeUndefined()
  await expectRefusal(assertFinite(file, ['good', 'bad']), 'weights.not-finite', 'bad')
})
