import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readAdapter } from '../../main/engine/adapters/adapter-file.ts'
import { mergeAdapters } from '../../main/engine/adapters/merge.ts'
import { GOLDEN, halfstep } from './halfstep.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const Tokenized = z.array(z.object({ text: z.string(), ids: z.array(z.number()) }))

const golden = (...names: string[]): string => join(GOLDEN, ...names)

async function json(...args: string[]): Promise<unknown> {
  const { code, out, err } = await halfstep(...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}

describe('halfstep, as a process', () => {
  it('tokenizes as CLIP does', async () => {
    const pairs = Tokenized.parse(JSON.parse(readFileSync(golden('clip-tokenizer.json'), 'utf8')))
    expect(await json('model', 'tokenize', 'clip', ...pairs.map(({ text }) => text))).toEqual(pairs)
  })

  it('tokenizes with a model\'s own tokenizer, and with the padding that its family has', async () => {
    const own = await json('model', 'tokenize', golden('sd15-micro'), 'a red fox')
    expect(own).toEqual([{ text: 'a red fox', ids: expect.arrayContaining([1022, 1023]) as number[] }])
    expect(await json('model', 'tokenize', golden('sd15-micro', 'tokenizer'), 'a red fox')).toEqual(own)
    const [sd2] = Tokenized.parse(await json('model', 'tokenize', golden('single-file', 'sd21-micro.safetensors'), ''))
    expect(sd2?.ids.slice(0, 3)).toEqual([49406, 49407, 0])
  })

  it('inspects a model', async () => {
    expect(await json('model', 'inspect', golden('sd21-bf16'))).toMatchObject({
      family: 'sd2', layout: 'diffusers', predictionType: 'v_prediction', latentSize: [4, 16, 16], crossAttentionWidth: 16, faults: [],
      components: [
        { name: 'unet', precision: { bfloat16: expect.any(Number) as number } },
        { name: 'textEncoder', precision: { float16: expect.any(Number) as number } },
        { name: 'vae', precision: { float16: expect.any(Number) as number } },
      ],
    })
  })

  it('converts an adapter to what diffusers wrote, and merges adapters', async () => {
    const kohya = golden('adapters', 'sd15-micro-kohya.safetensors')
    const peft = golden('adapters', 'sd15-micro-peft.safetensors')
    const converted = join(folder, 'peft.safetensors')
    const written = await json('adapter', 'convert', kohya, converted, '--format', 'peft')
    expect(written).toMatchObject({ out: converted, format: 'peft', ranks: [4], modules: 80 })
    expect((await readAdapter(converted)).modules).toEqual((await readAdapter(peft)).modules)

    const merged = join(folder, 'merged.safetensors')
    const sum = await json('adapter', 'merge', `${kohya}:0.7`, `${peft}:-0.2`, '--out', merged)
    expect(sum).toMatchObject({ keptEnergy: 1, ranks: [8], format: 'kohya' })
    const adapter = await readAdapter(kohya)
    const expected = mergeAdapters([{ adapter, strength: 0.7, name: 'a' }, { adapter, strength: -0.2, name: 'b' }])
    expect((await readAdapter(merged)).modules).toEqual(expected.adapter.modules)
  })

  it('writes the gradient of an ONNX model', async () => {
    const out = join(folder, 'resnet.grad.onnx')
    const written = await json('onnx', 'grad', golden('onnx', 'resnet.onnx'), '--output', 'y', '--wrt', 'pixels', '--out', out)
    const gradient: unknown = expect.objectContaining({ name: 'gradient.pixels' })
    expect(written).toMatchObject({ out, outputs: expect.arrayContaining([gradient]) as unknown[] })
    expect(existsSync(out)).toBe(true)
  })

  it('measures a model', async () => {
    const result = await json('model', 'bench', '--config', golden('sd15-micro'), '--latent', '16', '--runs', '1', '--device', 'cpu')
    const measured = { seconds: [expect.any(Number)] }
    expect(result).toMatchObject({ parameters: 1645572, forward: measured, vjp: measured })
  })
})
