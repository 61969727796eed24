import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { readAdapter, writeAdapter, type AdapterFormat } from '../../../main/engine/adapters/adapter-file.ts'
import { convertAdapter } from '../../../main/engine/adapters/convert.ts'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { float32, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { byName, randomModule, randomTensor, sd1Adapter, sdxlAdapter } from './example-adapters.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-adapter-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
const formats: AdapterFormat[] = ['kohya', 'peft']
const date = new Date('2026-03-04T05:06:07.890Z')

async function metadataOf(path: string): Promise<Record<string, string>> {
  return Object.fromEntries((await openSafetensors(path)).metadata)
}

describe.each(formats)('a %s file', (format) => {
  it.each([
    ['SD 1.x', sd1Adapter({ alpha: 0.5 })],
    ['SDXL', sdxlAdapter({ rank: 4 })],
  ])('brings an adapter for %s back bit for bit in float32', async (_, adapter) => {
    await writeAdapter(at('a.safetensors'), adapter, { format })
    const read = await readAdapter(at('a.safetensors'))
    expect(read).toMatchObject({ format, dtype: 'float32', path: at('a.safetensors') })
    expect(byName(read)).toEqual(byName(adapter))
  })

  it('brings any float32 numbers back, NaN, infinities and negative zero too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.float32Array({ minLength: 6, maxLength: 6 }), async (numbers) => {
        const module = { ...randomModule('unet', 'conv_in', [2, 3]), down: float32([2, 3], numbers) }
        await writeAdapter(at('a.safetensors'), { modules: [module], metadata: {} }, { format })
        const [read] = (await readAdapter(at('a.safetensors'))).modules
        expect(new Uint8Array(read?.down.data.buffer ?? new ArrayBuffer(0))).toEqual(new Uint8Array(numbers.slice().buffer))
      }),
      { numRuns: 20 },
    )
  })

  it('holds float16 numbers when asked to, and float32 alphas', async () => {
    const adapter = { metadata: {}, modules: [randomModule('unet', 'conv_in', [4, 4], { alpha: 1000.25 })] }
    await writeAdapter(at('a.safetensors'), adapter, { format, dtype: 'float16' })
    const read = await readAdapter(at('a.safetensors'))
    expect(read.dtype).toBe('float16')
    expect(read.modules[0]?.alpha).toBe(1000.25)
    expect(read.modules[0]?.down.data).toEqual(Float32Array.from(Float16Array.from(adapter.modules[0]?.down.data ?? [])))
  })

  it('is refused as float16 when a number is too large, and nothing is written', async () => {
    const module = { ...randomModule('unet', 'conv_in', [2, 2]), down: float32([2, 2], [1, 2, 3, 70000]) }
    const writing = writeAdapter(at('a.safetensors'), { modules: [module], metadata: {} }, { format, dtype: 'float16' })
    await expect(writing).rejects.toMatchObject({ code: 'adapter.malformed', message: expect.stringMatching(/conv_in.*65504/) as string })
    expect(readdirSync(folder)).toEqual([])
  })

  it('says what it is: title, date, base and the program that wrote it', async () => {
    await writeAdapter(at('good hands.safetensors'), sdxlAdapter(), { format, date })
    expect(await metadataOf(at('good hands.safetensors'))).toMatchObject({
      format: 'pt',
      'modelspec.sai_model_spec': '1.0.0',
      'modelspec.architecture': 'stable-diffusion-xl-v1-base/lora',
      'modelspec.implementation': 'diffusers',
      'modelspec.title': 'good hands',
      'modelspec.date': '2026-03-04T05:06:07',
      'halfstep.version': packageJson.version,
    })
  })

  it('keeps the metadata the adapter came with, except what described its old file', async () => {
    const metadata = {
      ss_tag_frequency: '{}',
      'modelspec.author': 'somebody',
      'modelspec.title': 'old title',
      'modelspec.hash_sha256': '0x12',
      ss_network_dim: '99',
      sshs_model_hash: 'ab',
    }
    await writeAdapter(at('a.safetensors'), { ...sd1Adapter(), metadata }, { format })
    const written = await metadataOf(at('a.safetensors'))
    expect(written).toMatchObject({ ss_tag_frequency: '{}', 'modelspec.author': 'somebody', 'modelspec.title': 'old title' })
    expect(written).not.toHaveProperty('sshs_model_hash')
    expect(written).not.toHaveProperty(['modelspec.hash_sha256'])
    expect(written.ss_network_dim).not.toBe('99')
  })

  it('is not written without modules', async () => {
    await expect(writeAdapter(at('a.safetensors'), { modules: [], metadata: {} }, { format })).rejects.toThrow(/no LoRA modules/)
  })
})

describe('a kohya file', () => {
  it.each([
    ['sd1', sd1Adapter(), 'sd_v1', 'False'],
    ['sdxl', sdxlAdapter(), 'sdxl_base_v1-0', 'False'],
  ] as const)('has the entries by which A1111 tells %s', async (_, adapter, base, v2) => {
    await writeAdapter(at('a.safetensors'), adapter, { format: 'kohya' })
    expect(await metadataOf(at('a.safetensors'))).toMatchObject({
      ss_base_model_version: base,
      ss_v2: v2,
      ss_network_module: 'networks.lora',
      ss_network_dim: '2',
      ss_network_alpha: '2',
    })
  })

  it('of a base that the modules do not tell takes the caller’s word, or says nothing', async () => {
    const adapter = { metadata: {}, modules: [randomModule('unet', 'conv_in', [4, 4])] }
    await writeAdapter(at('a.safetensors'), adapter, { format: 'kohya', family: 'sd2' })
    expect(await metadataOf(at('a.safetensors'))).toMatchObject({ ss_v2: 'True', 'modelspec.architecture': 'stable-diffusion-v2-512/lora' })
    await writeAdapter(at('a.safetensors'), adapter, { format: 'kohya' })
    expect(await metadataOf(at('a.safetensors'))).not.toHaveProperty('ss_base_model_version')
  })

  it('of modules of several ranks says so', async () => {
    const modules = [randomModule('unet', 'conv_in', [4, 4]), randomModule('unet', 'conv_out', [4, 4], { rank: 3 })]
    await writeAdapter(at('a.safetensors'), { modules, metadata: {} }, { format: 'kohya' })
    expect((await metadataOf(at('a.safetensors'))).ss_network_dim).toBe('Dynamic')
  })
})

describe('converting', () => {
  it.each([
    ['kohya', 'peft'],
    ['peft', 'kohya'],
  ] as const)('from %s to %s and back changes no bit', async (from, to) => {
    await writeAdapter(at('a.safetensors'), sdxlAdapter({ alpha: 0.25 }), { format: from, date })
    await convertAdapter(at('a.safetensors'), at('b.safetensors'), { format: to })
    await convertAdapter(at('b.safetensors'), at('c.safetensors'), { format: from })
    expect((await readAdapter(at('b.safetensors'))).format).toBe(to)
    expect(byName(await readAdapter(at('b.safetensors')))).toEqual(byName(sdxlAdapter({ alpha: 0.25 })))
    expect(byName(await readAdapter(at('c.safetensors')))).toEqual(byName(sdxlAdapter({ alpha: 0.25 })))
  })

  it('keeps float16 as float16, and makes float32 of bfloat16', async () => {
    await writeAdapter(at('a.safetensors'), sd1Adapter(), { format: 'peft', dtype: 'float16' })
    await convertAdapter(at('a.safetensors'), at('b.safetensors'), { format: 'kohya' })
    expect((await readAdapter(at('b.safetensors'))).dtype).toBe('float16')
    const one: Tensor = { dtype: 'bfloat16', shape: [1, 1], data: Uint16Array.of(0x3f80) }
    await writeSafetensors(at('c.safetensors'), [['lora_unet_conv_in.lora_down.weight', one], ['lora_unet_conv_in.lora_up.weight', one]])
    expect((await convertAdapter(at('c.safetensors'), at('d.safetensors'), { format: 'peft' })).dtype).toBe('bfloat16')
    const read = await readAdapter(at('d.safetensors'))
    expect(read.dtype).toBe('float32')
    expect(read.modules[0]?.down).toEqual(float32([1, 1], [1]))
  })
})

describe('a file that peft itself wrote', () => {
  const name = 'base_model.model.conv_in'
  const write = () =>
    writeSafetensors(at('adapter_model.safetensors'), [
      [`${name}.lora_A.weight`, randomTensor([2, 3], 1)],
      [`${name}.lora_B.weight`, randomTensor([4, 2], 2)],
    ])

  it('takes its alpha from the adapter_config.json beside it', async () => {
    await write()
    writeFileSync(at('adapter_config.json'), JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 16 }))
    expect((await readAdapter(at('adapter_model.safetensors'))).modules[0]?.alpha).toBe(16)
  })

  it('is read without one', async () => {
    await write()
    expect((await readAdapter(at('adapter_model.safetensors'))).modules[0]?.alpha).toBe(2)
  })

  it('is refused when that file is broken', async () => {
    await write()
    writeFileSync(at('adapter_config.json'), '{')
    await expect(readAdapter(at('adapter_model.safetensors'))).rejects.toThrow(/adapter_config\.json is not valid JSON/)
  })
})

describe('an adapter of another kind', () => {
  const base = 'lora_unet_mid_block_attentions_0_proj_in'
  it.each([
    [`${base}.hada_w1_a`, /LoHa/],
    [`${base}.lokr_w1`, /LoKr/],
    [`${base}.lokr_w2_a`, /LoKr/],
    [`${base}.dora_scale`, /DoRA/],
    ['unet.mid_block.attentions.0.proj_in.lora_magnitude_vector', /DoRA/],
    [`${base}.oft_blocks`, /OFT/],
    ['unet.conv_in.oft_r', /OFT/],
    [`${base}.lora_mid.weight`, /LoCon/],
    ['unet.conv_in.lora_B.bias', /bias/],
    [`${base}.bias_indices`, /bias/],
    ['text_encoder.text_model.embeddings.token_embedding.lora_embedding_A', /embedding/],
    [`${base}.diff`, /differences/],
    [`${base}.w_norm`, /normalisation/],
    [`${base}.on_input`, /IA³/],
    [`${base}.a1.weight`, /GLoRA/],
    ['bundle_emb.hands.string_to_param.*', /embeddings/],
  ])('is refused by name for %s', async (key, kind) => {
    await writeSafetensors(at('a.safetensors'), [
      [`${base}.lora_down.weight`, randomTensor([2, 3], 1)],
      [`${base}.lora_up.weight`, randomTensor([4, 2], 2)],
      [key, randomTensor([2, 2], 3)],
    ])
    const reading = readAdapter(at('a.safetensors'))
    await expect(reading).rejects.toBeInstanceOf(HalfstepError)
    await expect(reading).rejects.toThrow(kind)
    await expect(reading).rejects.toMatchObject({ code: 'adapter.unsupported', details: { key } })
  })
})

describe('a file that is no adapter', () => {
  it.each<[string, [string, Tensor][], RegExp]>([
    ['without tensors', [], /no LoRA modules/],
    ['of a checkpoint', [['model.diffusion_model.out.2.weight', randomTensor([2, 2], 1)]], /model\.diffusion_model\.out\.2\.weight/],
    [
      'that mixes formats',
      [['unet.conv_in.lora_A.weight', randomTensor([2, 2], 1)], ['lora_unet_conv_in.lora_up.weight', randomTensor([2, 2], 1)]],
      /mixes the names/,
    ],
  ])('%s is refused', async (_, tensors, cause) => {
    await writeSafetensors(at('a.safetensors'), tensors)
    await expect(readAdapter(at('a.safetensors'))).rejects.toMatchObject({
      code: 'adapter.malformed',
      message: expect.stringMatching(cause) as string,
    })
  })

  it('that does not exist is refused', async () => {
    await expect(readAdapter(at('none.safetensors'))).rejects.toMatchObject({ code: 'file.missing' })
  })
})
