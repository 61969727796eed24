import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fromBytes, float32 } from '../../../main/engine/tensor/tensor.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import {
  renameWeights,
  requireWeight,
  weightSource,
  withoutPrefix,
  type WeightEntry,
} from '../../../native-models/weights/weight-source.ts'
import { expectRefusal, temporaryFolder } from './crafted.ts'

const entry = (name: string, shape: number[]): WeightEntry => ({
  name,
  shape,
  dtype: 'float32',
  file: '/models/a.safetensors',
  byteOffset: 64,
  byteLength: 4 * shape.reduce((a, b) => a * b, 1),
})
const source = weightSource('a.safetensors', [entry('linear.weight', [3, 2]), entry('conv.weight', [3, 2, 1, 1]), entry('bias', [3])])

test('gives the weight a model needs', () => {
  expect(requireWeight(source, 'bias', [3])).toBe(source.find('bias'))
})

test('views a 1×1 convolution as a linear layer, and the reverse', () => {
  expect(requireWeight(source, 'conv.weight', [3, 2])).toMatchObject({ shape: [3, 2], byteOffset: 64, byteLength: 24 })
  expect(requireWeight(source, 'linear.weight', [3, 2, 1, 1])).toMatchObject({ shape: [3, 2, 1, 1] })
})

test('refuses missing weights, naming file and tensor', async () => {
  await expectRefusal(require('absent', [3]), 'weights.missing-tensor', 'a.safetensors', 'absent')
})

test('refuses other shapes, also of equal size, naming both', async () => {
  await expectRefusal(require('linear.weight', [2, 3]), 'weights.wrong-shape', 'a.safetensors', 'linear.weight', '3×2', '2×3')
  await expectRefusal(require('conv.weight', [3, 1, 2, 1]), 'weights.wrong-shape', '3×2×1×1', '3×1×2×1')
  await expectRefusal(require('linear.weight', [6]), 'weights.wrong-shape')
  await expectRefusal(require('bias', [3, 1]), 'weights.wrong-shape')
})

test('refuses weights that are integers', async () => {
  const integers = weightSource('a.safetensors', [{ ...entry('w', [2]), dtype: 'int8' }])
  await expectRefusal(
    Promise.resolve().then(() => requireWeight(integers, 'w', [2])),
    'weights.wrong-type',
    'a.safetensors',
    'w',
    'int8',
  )
})

test('renames without copying, and leaves out what has no new name', () => {
  const renamed = renameWeights(source, (name) => (name === 'bias' ? 'b' : undefined))
  expect(renamed.names()).toEqual(['b'])
  expect(renamed.find('b')).toEqual({ ...source.find('bias'), name: 'b' })
  expect(withoutPrefix(source, 'conv.').names()).toEqual(['weight'])
})

test('refuses two weights that end up with one name', async () => {
  await expectRefusal(
    Promise.resolve().then(() => renameWeights(source, () => 'same')),
    'weights.malformed',
    'a.safetensors',
    'same',
  )
})

test('reads a weight that is stored transposed', async () => {
  const path = join(await temporaryFolder(), 'transposed.safetensors')
  await writeSafetensors(path, [
    ['w', float32([2, 3], [1, 2, 3, 4, 5, 6])],
    ['h', fromBytes('float16', [2, 1], new Uint8Array([1, 2, 3, 4]))],
  ])
  const file = await openSafetensors(path)
  expect(await readWeight({ ...file.find('w')!, shape: [3, 2], transposed: true })).toEqual(float32([3, 2], [1, 4, 2, 5, 3, 6]))
  const half = await readWeight({ ...file.find('h')!, shape: [1, 2], transposed: true })
  expect([...new Uint8Array(half.data.buffer)]).toEqual([1, 2, 3, 4])
})

test('says so when a file has become shorter since it was opened', async () => {
  const path = join(await temporaryFolder(), 'shrunk.safetensors')
  await writeSafetensors(path, [['w', float32([2], [1, 2])]])
  const { byteOffset, ...rest } = (await openSafetensors(path)).find('w')!
  await expectRefusal(readWeight({ ...rest, byteOffset: byteOffset + 4 }), 'file.unreadable', 'shrunk.safetensors', 'ends before')
})

async function require(name: string, shape: number[]): Promise<unknown> {
  return requireWeight(source, name, shape)
}
