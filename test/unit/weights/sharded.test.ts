import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { openSharded } from '../../../native-models/weights/sharded.ts'
import { expectRefusal, temporaryFolder } from './crafted.ts'

/** A folder with two shards and an index that says where each tensor lies. */
async function shardedFolder(weightMap: unknown): Promise<string> {
  const folder = await temporaryFolder()
  await writeSafetensors(join(folder, 'model-00001-of-00002.safetensors'), [
    ['a', float32([1], [1])],
    ['spare', float32([1], [0])],
  ])
  await writeSafetensors(join(folder, 'model-00002-of-00002.safetensors'), [['b', float32([1], [2])]])
  const index = join(folder, 'model.safetensors.index.json')
  await writeFile(index, JSON.stringify({ metadata: { total_size: 8 }, weight_map: weightMap }))
  return index
}

test('finds each tensor in the shard the index names', async () => {
  const source = await openSharded(await shardedFolder({ b: 'model-00002-of-00002.safetensors', a: 'model-00001-of-00002.safetensors' }))
  expect(new Set(source.names())).toEqual(new Set(['a', 'b']))
  expect(basename(source.find('b')!.file)).toBe('model-00002-of-00002.safetensors')
  expect((await readWeight(source.find('b')!)).data).toEqual(new Float32Array([2]))
})

test('refuses shards that do not lie beside the index', async () => {
  for (const shard of [
    '../model.safetensors',
    '/etc/model.safetensors',
    'sub/model.safetensors',
    'sub\\model.safetensors',
    '..',
    '',
    'a\0b',
  ]) {
    await expectRefusal(openSharded(await shardedFolder({ a: shard })), 'weights.malformed', 'model.safetensors.index.json')
  }
})

test('refuses an index whose tensor is not in its shard', async () => {
  const index = await shardedFolder({ b: 'model-00001-of-00002.safetensors' })
  await expectRefusal(openSharded(index), 'weights.missing-tensor', 'model-00001-of-00002.safetensors', 'b')
})

test('refuses an index whose shard is missing or pickled', async () => {
  await expectRefusal(openSharded(await shardedFolder({ a: 'absent.safetensors' })), 'file.missing', 'absent.safetensors')
  const index = await shardedFolder({ a: 'pytorch_model.bin' })
  await writeFile(join(index, '..', 'pytorch_model.bin'), 'pickle')
  await expectRefusal(openSharded(index), 'weights.pickled', 'pytorch_model.bin')
})

test('refuses an index without a map, or that is no JSON', async () => {
  await expectRefusal(openSharded(await shardedFolder(['a'])), 'weights.malformed', 'weight_map')
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'index.json'), '{')
  await expectRefusal(openSharded(join(folder, 'index.json')), 'config.malformed', 'index.json')
  await truncate(join(folder, 'index.json'), 65 * 1024 * 1024)
  await expectRefusal(openSharded(join(folder, 'index.json')), 'config.malformed', 'index.json', 'too large')
  await mkdir(join(folder, 'folder.json'))
  await expectRefusal(openSharded(join(folder, 'folder.json')), 'file.unreadable', 'folder.json')
})
