import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors } from '../../../native-models/weights/safetensors.ts'
import { craft, craftFile, expectRefusal, temporaryFolder } from './crafted.ts'

const F32_OF_2 = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
const numbers = new Uint8Array(new Float32Array([1.5, -2]).buffer)

/** Opens a crafted file. */
async function openCrafted(header: string | Uint8Array, data?: Uint8Array, length?: bigint) {
  return await openSafetensors(await craftFile(craft(header, data, length)))
}

/** Checks that a crafted file is refused as malformed, with a sentence that names the file and says this. */
async function expectMalformed(says: string, header: string | Uint8Array, data?: Uint8Array, length?: bigint): Promise<void> {
  await expectRefusal(openCrafted(header, data, length), 'weights.malformed', 'crafted.safetensors', says)
}

test('reads names, types, shapes, metadata and positions', async () => {
  const header = `{"__metadata__":{"format":"pt"},"a":${F32_OF_2}}`
  const file = await openCrafted(header, numbers)
  expect(file.names()).toEqual(['a'])
  expect(file.metadata).toEqual(new Map([['format', 'pt']]))
  const entry = file.find('a')!
  expect(entry).toMatchObject({ dtype: 'float32', shape: [2], byteLength: 8, byteOffset: 8 + header.length })
  expect((await readWeight(entry)).data).toEqual(new Float32Array([1.5, -2]))
})

test('reads every element type', async () => {
  const widths = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 }
  for (const [dtype, width] of Object.entries(widths)) {
    const file = await openCrafted(`{"a":{"dtype":"${dtype}","shape":[1],"data_offsets":[0,${width}]}}`, new Uint8Array(width))
    expect((await readWeight(file.find('a')!)).data).toHaveLength(1)
  }
})

test('reads scalars, empty tensors and padded headers', async () => {
  const empty = '{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]}'
  const file = await openCrafted(`{"scalar":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"empty":${empty}}   `, new Uint8Array(4))
  expect(file.find('scalar')).toMatchObject({ shape: [], byteLength: 4 })
  expect(file.find('empty')).toMatchObject({ shape: [0, 3], byteLength: 0 })
})

test('reads the header only, however large the file is', async () => {
  const bytes = 256 * 1024 * 1024
  const path = await craftFile(craft(`{"a":{"dtype":"U8","shape":[${bytes}],"data_offsets":[0,${bytes}]}}`.padEnd(128)))
  await truncate(path, 8 + 128 + bytes)
  const before = process.memoryUsage().arrayBuffers
  expect((await openSafetensors(path)).find('a')).toMatchObject({ byteLength: bytes })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
})

test('takes __proto__ for a name like any other', async () => {
  const file = await openCrafted(`{"__proto__":${F32_OF_2}}`, numbers)
  expect(file.names()).toEqual(['__proto__'])
  expect(file.find('constructor')).toBeUndefined()
  expect(Object.getPrototypeOf(file.find('__proto__'))).toBe(Object.prototype)
})

test('refuses a file too short for the length of a header', async () => {
  const path = await craftFile(new Uint8Array(7))
  await expectRefusal(openSafetensors(path), 'weights.malformed', path, 'shorter')
})

test('refuses a header over 100 MB, even in a file that is large enough', async () => {
  const path = await craftFile(craft('{}', undefined, 100_000_001n))
  await truncate(path, 200_000_000)
  await expectRefusal(openSafetensors(path), 'weights.malformed', path, '100 MB')
})

test('refuses a header length beyond any file', () => expectMalformed('100 MB', '{}', undefined, 2n ** 64n - 1n))

test('refuses a header longer than the file', () => expectMalformed('past the end of the file', '{}', undefined, 3n))

test('refuses a header that is not UTF-8', () => {
  const header = new TextEncoder().encode(`{"a":${F32_OF_2}}`)
  header[2] = 0xff
  return expectMalformed('UTF-8', header, numbers)
})

test('refuses a header that does not start with a brace', async () => {
  await expectMalformed('start with "{"', ` {"a":${F32_OF_2}}`, numbers)
  await expectMalformed('start with "{"', '[]')
  await expectMalformed('start with "{"', '')
})

test('refuses a header that is not JSON', () => expectMalformed('not valid JSON', `{"a":${F32_OF_2},}`, numbers))

test('refuses an entry that is not an object', () => expectMalformed('tensor a', '{"a":[]}'))

test('refuses an entry with unknown members', () =>
  expectMalformed('unknown key strides', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"strides":[1]}}', numbers))

test('refuses an entry that lacks a member', async () => {
  await expectMalformed('no element type', '{"a":{"shape":[2],"data_offsets":[0,8]}}', numbers)
  await expectMalformed('no valid shape', '{"a":{"dtype":"F32","data_offsets":[0,8]}}', numbers)
  await expectMalformed('no valid data_offsets', '{"a":{"dtype":"F32","shape":[2]}}', numbers)
})

test('refuses an unknown element type', () =>
  expectMalformed('element type F33', '{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}', numbers))

test('refuses 8-bit floats by their name', async () => {
  const opened = openCrafted('{"a.weight":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}', numbers)
  await expectRefusal(opened, 'weights.wrong-type', 'crafted.safetensors', 'a.weight', 'F8_E4M3')
})

test('refuses sizes that are negative, fractional, exponential or not exact', async () => {
  for (const size of ['-1', '1.5', '2.0', '2e0', '-0', '9007199254740993', '1e400', '"2"', 'null', 'true']) {
    await expectMalformed('', `{"a":{"dtype":"F32","shape":[${size}],"data_offsets":[0,8]}}`, numbers)
    await expectMalformed('', `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,${size}]}}`, numbers)
  }
})

test('refuses a shape whose size overflows, even when a zero follows', async () => {
  await expectMalformed('overflows', '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}', numbers)
  await expectMalformed('overflows', '{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}')
})

test('refuses a shape that does not fill its bytes', () =>
  expectMalformed('needs 12 bytes, but 8', '{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', numbers))

test('refuses offsets that run backwards, or are not two', async () => {
  await expectMalformed('data_offsets', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', numbers)
  await expectMalformed('data_offsets', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}', numbers)
  await expectMalformed('data_offsets', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}}', numbers)
})

test('refuses tensors that overlap', () =>
  expectMalformed('overlaps', `{"a":${F32_OF_2},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, numbers))

test('refuses a hole between tensors, and before the first', async () => {
  const second = '{"dtype":"F32","shape":[1],"data_offsets":[12,16]}'
  await expectMalformed('hole of 4 bytes', `{"a":${F32_OF_2},"b":${second}}`, new Uint8Array(16))
  await expectMalformed('hole of 12 bytes', `{"b":${second}}`, new Uint8Array(16))
})

test('refuses a truncated file', () => expectMalformed('1 bytes past the end', `{"a":${F32_OF_2}}`, numbers.subarray(0, 7)))

test('refuses bytes at the end that belong to no tensor', () =>
  expectMalformed('1 bytes at its end', `{"a":${F32_OF_2}}`, new Uint8Array(9)))

test('refuses metadata that is not text', async () => {
  await expectMalformed('metadata step', '{"__metadata__":{"step":3}}')
  await expectMalformed('metadata step', '{"__metadata__":{"step":{"deep":"er"}}}')
  await expectMalformed('metadata is not a JSON object', '{"__metadata__":"text"}')
})

test('refuses keys that occur twice, however they are spelled', async () => {
  await expectMalformed('key a twice', `{"a":${F32_OF_2},"a":${F32_OF_2}}`, numbers)
  await expectMalformed('key a twice', `{"a":${F32_OF_2},"\\u0061" : ${F32_OF_2}}`, numbers)
  await expectMalformed('key dtype twice', '{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', numbers)
  await expectMalformed('key x twice', `{"__metadata__":{"x":"1","x":"2"},"a":${F32_OF_2}}`, numbers)
})

test('does not take equal values or keys of different objects for duplicates', async () => {
  const file = await openCrafted(`{"__metadata__":{"x":"a\\"{","y":"a\\"{","a":"x"},"a":${F32_OF_2}}`, numbers)
  expect(file.names()).toEqual(['a'])
})

test('refuses texts with half a surrogate pair', () => expectMalformed('Unicode', `{"\\ud800":${F32_OF_2}}`, numbers))

test('refuses a header nested deeply, without a crash', () =>
  expectMalformed('entry of tensor a', `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`))

test('refuses a missing file, a folder and a pickle', async () => {
  const folder = await temporaryFolder()
  await expectRefusal(openSafetensors(join(folder, 'absent.safetensors')), 'file.missing', 'absent.safetensors')
  await mkdir(join(folder, 'folder.safetensors'))
  await expectRefusal(openSafetensors(join(folder, 'folder.safetensors')), 'file.unreadable', 'folder.safetensors')
  for (const name of ['model.ckpt', 'model.PT', 'model.pth', 'model.bin']) {
    await writeFile(join(folder, name), craft(`{"a":${F32_OF_2}}`, numbers))
    await expectRefusal(openSafetensors(join(folder, name)), 'weights.pickled', name)
  }
})

test('refuses pickles by their first bytes, whatever they are called', async () => {
  const zip = new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0])
  const pickle = new Uint8Array([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20])
  await expectRefusal(openSafetensors(await craftFile(zip, 'zip.safetensors')), 'weights.pickled', 'zip.safetensors')
  await expectRefusal(openSafetensors(await craftFile(pickle, 'pickle.safetensors')), 'weights.pickled', 'pickle.safetensors')
})

test('does not take a header of 640 bytes for a pickle, though it begins likewise', async () => {
  const file = await openCrafted(`{"a":${F32_OF_2}}`.padEnd(640), numbers)
  expect(file.names()).toEqual(['a'])
})

test('reads paths with spaces and every script', async () => {
  const folder = join(await temporaryFolder(), 'ü 日本語 🎨')
  await mkdir(folder)
  await writeFile(join(folder, 'my model.safetensors'), craft(`{"a":${F32_OF_2}}`, numbers))
  expect((await openSafetensors(join(folder, 'my model.safetensors'))).names()).toEqual(['a'])
})

test('survives any mutation: it opens with all entries inside the file, or is refused by name', async () => {
  const valid = craft(
    `{"__metadata__":{"format":"pt"},"a":${F32_OF_2},"b":{"dtype":"BF16","shape":[2,1],"data_offsets":[8,12]}}`,
    new Uint8Array(12),
  )
  const path = await craftFile(valid)
  const change = fc.record({ at: fc.nat(valid.length - 1), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) })
  const snippet = fc
    .constantFrom('"', '{', '}', '[', ']', ',', ':', '0', '9', '-', '.', 'e', '\\u0061', 'null', '"a":')
    .map((text) => new TextEncoder().encode(text))
  const textual = fc.record({ at: fc.integer({ min: 8, max: valid.length - 13 }), remove: fc.nat(3), insert: snippet })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(change, textual), { minLength: 1, maxLength: 4 }), fc.boolean(), async (changes, fixLength) => {
      const bytes = [...valid]
      for (const { at, remove, insert } of changes) bytes.splice(at, remove, ...insert)
      const mutated = Uint8Array.from(bytes)
      if (fixLength && mutated.length >= 20) new DataView(mutated.buffer).setBigUint64(0, BigInt(mutated.length - 20), true)
      await writeFile(path, mutated)
      try {
        const file = await openSafetensors(path)
        for (const name of file.names()) {
          const { byteOffset, byteLength } = file.find(name)!
          expect(byteOffset).toBeGreaterThanOrEqual(8)
          expect(byteOffset + byteLength).toBeLessThanOrEqual(mutated.length)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(HalfstepError)
        expect((error as HalfstepError).message).toContain(path)
      }
    }),
    { numRuns: 1000 },
  )
})
