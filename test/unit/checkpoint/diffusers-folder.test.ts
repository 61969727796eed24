import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { allEntries, type WeightSource } from '../../../native-models/weights/weight-source.ts'
import { expectRefusal, temporaryFolder } from '../weights/crafted.ts'

const MICRO = join(import.meta.dirname, '../../golden/sd15-micro')

/** A copy of parts of the micro model that a test may damage. */
async function copyOf(...parts: readonly string[]): Promise<string> {
  const folder = await temporaryFolder()
  for (const part of parts) await cp(join(MICRO, part), join(folder, part), { recursive: true })
  return folder
}

/** Writes a component's weights again under other names. */
async function rewrite(file: string, rename: (name: string) => string, to = file): Promise<void> {
  const source = await openSafetensors(file)
  await writeSafetensors(
    to,
    await Promise.all(allEntries(source).map(async (entry) => [rename(entry.name), await readWeight(entry)] as const)),
  )
}

async function weightsOf(source: WeightSource) {
  return new Map(await Promise.all(allEntries(source).map(async (entry) => [entry.name, await readWeight(entry)] as const)))
}

test('reads a whole model: components, configs, scheduler and tokenizer', async () => {
  const model = await openCheckpoint(MICRO)
  expect(model).toMatchObject({ layout: 'diffusers', family: 'sd1', predictionType: 'epsilon', problems: [] })
  expect(model.tokenizerFolder).toBe(join(MICRO, 'tokenizer'))
  expect(Object.keys(model.components)).toEqual(['unet', 'textEncoder', 'vae'])
  expect(model.components.unet!.weights.find('conv_in.weight')).toMatchObject({ shape: [32, 4, 3, 3], dtype: 'float32' })
})

test('reads a folder that lacks components, and the index that lists them', async () => {
  const folder = await copyOf('text_encoder', 'model_index.json')
  const model = await openCheckpoint(folder)
  expect(Object.keys(model.components)).toEqual(['textEncoder'])
  expect(model.problems.join(' ')).toContain('lists unet, but that folder is not there')
  await rm(join(folder, 'model_index.json'))
  expect((await openCheckpoint(folder)).problems).toEqual([])
})

test('skips a component that the index switches off', async () => {
  const folder = await copyOf('text_encoder', 'vae')
  await writeFile(join(folder, 'model_index.json'), '{"vae":[null,null]}')
  expect(Object.keys((await openCheckpoint(folder)).components)).toEqual(['textEncoder'])
})

test('assumes ε-prediction without a scheduler, and says so', async () => {
  const model = await openCheckpoint(await copyOf('unet'))
  expect(model.predictionType).toBe('epsilon')
  expect(model.problems.join(' ')).toContain('ε-prediction is assumed')
})

test('reads text encoders with and without the prefix under one naming', async () => {
  const folder = await copyOf('text_encoder')
  const expected = await weightsOf((await openCheckpoint(MICRO)).components.textEncoder!.weights)
  await rewrite(join(folder, 'text_encoder/model.safetensors'), (name) => name.replace('text_model.', ''))
  expect(await weightsOf((await openCheckpoint(folder)).components.textEncoder!.weights)).toEqual(expected)
})

test('reads autoencoders whose attention has the old names', async () => {
  const folder = await copyOf('vae')
  const expected = await weightsOf((await openCheckpoint(MICRO)).components.vae!.weights)
  const old: Record<string, string> = { 'to_q': 'query', 'to_k': 'key', 'to_v': 'value', 'to_out.0': 'proj_attn' }
  await rewrite(join(folder, 'vae/diffusion_pytorch_model.safetensors'), (name) =>
    name.replace(/to_q|to_k|to_v|to_out\.0/, (part) => old[part]!),
  )
  expect(await weightsOf((await openCheckpoint(folder)).components.vae!.weights)).toEqual(expected)
})

test('takes a variant when it is the only one, and the plain file otherwise', async () => {
  const folder = await copyOf('vae')
  const plain = join(folder, 'vae/diffusion_pytorch_model.safetensors')
  const variant = join(folder, 'vae/diffusion_pytorch_model.fp16.safetensors')
  await cp(plain, variant)
  expect((await openCheckpoint(folder)).components.vae!.weights.description).toBe(plain)
  await rm(plain)
  const model = await openCheckpoint(folder)
  expect(model.components.vae!.weights.description).toBe(variant)
  expect(model.problems.join(' ')).toContain('diffusion_pytorch_model.fp16.safetensors')
  await cp(variant, join(folder, 'vae/diffusion_pytorch_model.non_ema.safetensors'))
  await expectRefusal(openCheckpoint(folder), 'model.missing-component', 'fp16', 'non_ema')
})

test('reads sharded weights, also as a variant', async () => {
  const folder = await copyOf('vae')
  const file = join(folder, 'vae/diffusion_pytorch_model.safetensors')
  const expected = await weightsOf((await openCheckpoint(folder)).components.vae!.weights)
  const source = await openSafetensors(file)
  const shard = (name: string) => `diffusion_pytorch_model-0000${name.startsWith('encoder') ? 1 : 2}-of-00002.safetensors`
  for (const [name, entries] of Map.groupBy(allEntries(source), (entry) => shard(entry.name))) {
    await writeSafetensors(
      join(folder, 'vae', name),
      await Promise.all(entries.map(async (entry) => [entry.name, await readWeight(entry)] as const)),
    )
  }
  const index = JSON.stringify({ weight_map: Object.fromEntries(source.names().map((name) => [name, shard(name)])) })
  await rm(file)
  for (const name of ['safetensors.index.json', 'fp16.safetensors.index.json', 'safetensors.index.fp16.json']) {
    const path = join(folder, `vae/diffusion_pytorch_model.${name}`)
    await writeFile(path, index)
    expect(await weightsOf((await openCheckpoint(folder)).components.vae!.weights)).toEqual(expected)
    await rm(path)
  }
})

test('refuses a component that has only pickled weights', async () => {
  const folder = await copyOf('unet')
  await rename(join(folder, 'unet/diffusion_pytorch_model.safetensors'), join(folder, 'unet/diffusion_pytorch_model.bin'))
  await expectRefusal(openCheckpoint(folder), 'weights.pickled', 'diffusion_pytorch_model.bin')
})

test('refuses a component without weights or without a config', async () => {
  const folder = await copyOf('unet')
  await rm(join(folder, 'unet/diffusion_pytorch_model.safetensors'))
  await expectRefusal(openCheckpoint(folder), 'model.missing-component', join(folder, 'unet'))
  const other = await copyOf('unet')
  await rm(join(other, 'unet/config.json'))
  await expectRefusal(openCheckpoint(other), 'file.missing', join(other, 'unet/config.json'))
})

test('refuses broken configs, naming the file', async () => {
  const folder = await copyOf('unet')
  const file = join(folder, 'unet/config.json')
  await writeFile(file, '{')
  await expectRefusal(openCheckpoint(folder), 'config.malformed', file)
  await writeFile(file, '[1]')
  await expectRefusal(openCheckpoint(folder), 'config.malformed', file)
  await writeFile(file, '{"act_fn":"gelu"}')
  await expectRefusal(openCheckpoint(folder), 'config.unsupported', file, 'act_fn', 'gelu')
  await writeFile(join(folder, 'model_index.json'), '"text"')
  await expectRefusal(openCheckpoint(folder), 'config.malformed', 'model_index.json')
})

test('refuses paths that are no model, saying why', async () => {
  const folder = await temporaryFolder()
  await expectRefusal(openCheckpoint(join(folder, 'absent')), 'file.missing', join(folder, 'absent'))
  await expectRefusal(openCheckpoint(folder), 'model.missing-component', folder)
  await mkdir(join(folder, 'transformer'))
  await expectRefusal(openCheckpoint(folder), 'model.unknown-family', 'diffusion transformer')
  await writeFile(join(folder, 'model.ckpt'), 'pickle')
  await expectRefusal(openCheckpoint(join(folder, 'model.ckpt')), 'weights.pickled', 'model.ckpt')
})

test('tells the families apart by structure', async () => {
  const sd2 = await copyOf('text_encoder')
  await writeFile(join(sd2, 'text_encoder/config.json'), JSON.stringify({ hidden_act: 'gelu' }))
  expect((await openCheckpoint(sd2)).family).toBe('sd2')
  const sdxl = await copyOf('text_encoder')
  await rename(join(sdxl, 'text_encoder'), join(sdxl, 'text_encoder_2'))
  expect((await openCheckpoint(sdxl)).family).toBe('sdxl')
})
