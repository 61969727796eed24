import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesPerElement, type DType } from '../../../main/engine/tensor/dtype.ts'
import { elementCount } from '../../../main/engine/tensor/shape.ts'
import { float32, fromBytes, int64, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { expectRefusal, temporaryFolder } from './crafted.ts'

const DTYPES = [
  'float32',
  'float16',
  'bfloat16',
  'float64',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint64',
  'uint32',
  'uint16',
  'uint8',
  'bool',
] as const satisfies readonly DType[]

const anyTensor = fc.tuple(fc.constantFrom(...DTYPES), fc.array(fc.nat(4), { maxLength: 4 })).chain(([dtype, shape]) => {
  const length = elementCount(shape) * bytesPerElement(dtype)
  return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => fromBytes(dtype, shape, bytes))
})

test('what is written is read back the same: any types, shapes, names and metadata', async () => {
  const path = join(await temporaryFolder(), 'any.safetensors')
  const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__')
  const metadata = fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' }), { noNullPrototype: true })
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(name, anyTensor), { selector: ([key]) => key, maxLength: 6 }),
      metadata,
      async (tensors, texts) => {
        await writeSafetensors(path, tensors, texts)
        const file = await openSafetensors(path)
        expect(new Set(file.names())).toEqual(new Set(tensors.map(([key]) => key)))
        expect(file.metadata).toEqual(new Map(Object.entries(texts)))
        for (const [key, { dtype, shape, data }] of tensors) {
          const entry = file.find(key)!
          expect(await readWeight(entry)).toMatchObject({ dtype, shape })
          expect(bytesOf(await readWeight(entry))).toEqual(bytesOf({ dtype, shape, data }))
          expect(entry.byteOffset % bytesPerElement(dtype)).toBe(0)
        }
      },
    ),
    { numRuns: 100 },
  )
})

function bytesOf({ data }: Tensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

test('orders tensors and pads the header as the reference writer does', async () => {
  const path = join(await temporaryFolder(), 'known.safetensors')
  await writeSafetensors(
    path,
    [
      ['b', float32([1], [1])],
      ['a', float32([2], [2, 3])],
      ['i', int64([1], [7])],
    ],
    { format: 'pt' },
  )
  const bytes = await readFile(path)
  const headerLength = Number(bytes.readBigUInt64LE(0))
  expect(headerLength % 8).toBe(0)
  expect(bytes.toString('utf8', 8, 8 + headerLength).trimEnd()).toBe(
    '{"__metadata__":{"format":"pt"},"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},' +
      '"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}',
  )
})

test('keeps the order and spelling of names that objects would disturb', async () => {
  const path = join(await temporaryFolder(), 'names.safetensors')
  await writeSafetensors(
    path,
    ['__proto__', '10', '2', 'constructor'].map((name) => [name, float32([], [1])]),
  )
  expect((await openSafetensors(path)).names()).toEqual(['10', '2', '__proto__', 'constructor'])
})

test('reads lazy tensors one at a time, in the order they are written', async () => {
  const path = join(await temporaryFolder(), 'lazy.safetensors')
  const read: string[] = []
  const lazy = (name: string): [string, { dtype: 'float32'; shape: number[]; read: () => Promise<Tensor> }] => [
    name,
    { dtype: 'float32', shape: [1], read: async () => (read.push(name), float32([1], [read.length])) },
  ]
  await writeSafetensors(path, [lazy('b'), lazy('a')])
  expect(read).toEqual(['a', 'b'])
  expect((await readWeight((await openSafetensors(path)).find('b')!)).data).toEqual(new Float32Array([2]))
})

test('leaves the earlier file untouched, and nothing else behind, when writing fails half way', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'model.safetensors')
  await writeSafetensors(path, [['a', float32([1], [1])]])
  const before = await readFile(path)
  const failing = {
    dtype: 'float32',
    shape: [1],
    read: () => {
      throw new Error('no more memory')
    },
  } as const
  await expect(
    writeSafetensors(path, [
      ['a', float32([1], [2])],
      ['b', failing],
    ]),
  ).rejects.toThrow('no more memory')
  expect(await readFile(path)).toEqual(before)
  expect(await readdir(folder)).toEqual(['model.safetensors'])
})

test('says which file cannot be written', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'file'), '')
  const path = join(folder, 'absent', 'model.safetensors')
  await expectRefusal(writeSafetensors(path, []), 'file.unwritable', path)
})

test('says so when something else stands in its place, and leaves nothing behind', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'model.safetensors')
  await mkdir(join(path, 'inside'), { recursive: true })
  await expectRefusal(writeSafetensors(path, [['a', float32([1], [1])]]), 'file.unwritable', path)
  expect(await readdir(folder)).toEqual(['model.safetensors'])
})

test('refuses names that are taken and tensors that contradict themselves', async () => {
  const path = join(await temporaryFolder(), 'bad.safetensors')
  const one = float32([1], [1])
  await expect(
    writeSafetensors(path, [
      ['a', one],
      ['a', one],
    ]),
  ).rejects.toThrow(RangeError)
  await expect(writeSafetensors(path, [['__metadata__', one]])).rejects.toThrow(RangeError)
  await expect(writeSafetensors(path, [['\ud800', one]])).rejects.toThrow(RangeError)
  await expect(writeSafetensors(path, [['a', { ...one, shape: [2] }]])).rejects.toThrow(RangeError)
})
