import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cases } from '../../main/engine/check/cases.ts'
import { generatePictures, type GenerateRequest } from '../../main/engine/generate/generate-pictures.ts'
import { readPngText } from '../../main/engine/pictures/png-metadata.ts'
import { float32 } from '../../main/engine/tensor/tensor.ts'
import { writeSafetensors } from '../../native-models/weights/safetensors.ts'
import { GOLDEN, halfstep } from './halfstep.ts'

/** make_samplers.py has the same. */
const PROMPTS = ['a lighthouse at dusk', 'two hands holding an orange']
const STEPS = 6

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'halfstep-generate-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const reference = (model: string): string => join(GOLDEN, 'samplers', `${model}.safetensors`)

function request(model: string, changes: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    model: join(GOLDEN, model),
    prompts: PROMPTS,
    negative: 'blurry',
    adapters: [],
    seed: 1,
    sampler: 'ddim',
    steps: STEPS,
    guidance: 5,
    eta: 0,
    latents: reference(model),
    device: 'cpu',
    precision: 'float32',
    out: mkdtempSync(join(folder, 'out-')),
    ...changes,
  }
}

/** The largest difference of any pixel of any picture, in steps of 1/255. */
async function difference(paths: readonly string[], model: string, name: string): Promise<number> {
  const theirs = await (await Cases.open(reference(model))).tensor(name)
  const ours = Buffer.concat(await Promise.all(paths.map((path) => sharp(path).raw().toBuffer())))
  expect(theirs.shape).toEqual([paths.length, 64, 64, 3])
  return ours.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(theirs.data[i]))), 0)
}

async function generated(model: string, changes: Partial<GenerateRequest> = {}): Promise<string[]> {
  const { pictures } = await generatePictures(request(model, changes), () => undefined)
  return pictures.map(({ path }) => path)
}

/** A request without a negative prompt. */
function unprompted(model: string, changes: Partial<GenerateRequest> = {}): GenerateRequest {
  const { negative: _, ...rest } = request(model, changes)
  return rest
}

describe.each(['sd15-micro', 'sd21-micro', 'sdxl-micro'])('pictures of %s from given latents are those of diffusers', (model) => {
  /** sdxl-micro with a UNet that reads both of its text encoders. */
  const source = (): Partial<GenerateRequest> => {
    if (model !== 'sdxl-micro') return {}
    const copy = mkdtempSync(join(folder, 'sdxl-'))
    cpSync(join(GOLDEN, model), copy, { recursive: true })
    rmSync(join(copy, 'unet'), { recursive: true })
    cpSync(join(GOLDEN, 'samplers', 'sdxl-unet'), join(copy, 'unet'), { recursive: true })
    return { model: copy }
  }

  it('without noise', async () => {
    expect(await difference(await generated(model, source()), model, 'deterministic')).toBeLessThanOrEqual(2)
  })

  it('with the noise of every step given', async () => {
    expect(await difference(await generated(model, { ...source(), eta: 1 }), model, 'stochastic')).toBeLessThanOrEqual(2)
  })

  it('without a negative prompt', async () => {
    const { pictures } = await generatePictures(unprompted(model, source()), () => undefined)
    expect(
      await difference(
        pictures.map(({ path }) => path),
        model,
        'without_negative',
      ),
    ).toBeLessThanOrEqual(2)
  })
})

describe('halfstep generate', () => {
  const adapter = join(GOLDEN, 'adapters', 'sd15-micro-peft.safetensors')

  it('applies an adapter at its strength as diffusers does', async () => {
    const paths = await generated('sd15-micro', { adapters: [{ path: adapter, strength: 0.8 }] })
    expect(await difference(paths, 'sd15-micro', 'adapted')).toBeLessThanOrEqual(2)
    expect(await difference(paths, 'sd15-micro', 'deterministic')).toBeGreaterThan(5)
  })

  it('gives the same from the command line, with the recipe in the file', async () => {
    const out = mkdtempSync(join(folder, 'out-'))
    const { code, out: printed } = await halfstep(
      'generate',
      '--model',
      join(GOLDEN, 'sd15-micro'),
      '--prompt',
      ...PROMPTS,
      '--negative',
      'blurry',
      '--guidance',
      '5',
      '--steps',
      `${STEPS}`,
      '--eta',
      '0',
      '--latents',
      reference('sd15-micro'),
      '--adapter',
      `${adapter}:0.8`,
      '--seed',
      '3',
      '--device',
      'cpu',
      '--out',
      out,
    )
    const paths = printed.trim().split('\n')
    expect([code, paths.length]).toEqual([0, 2])
    expect(await difference(paths, 'sd15-micro', 'adapted')).toBeLessThanOrEqual(2)

    const texts = readPngText(readFileSync(paths[0]!))
    expect(texts.get('parameters')).toBe(
      [
        'a lighthouse at dusk <lora:sd15-micro-peft:0.8>',
        'Negative prompt: blurry',
        'Steps: 6, Sampler: DDIM, CFG scale: 5, Seed: 3, Size: 64x64, Model: sd15-micro, Version: Halfstep 0.1.0',
      ].join('\n'),
    )
    expect(JSON.parse(texts.get('halfstep') ?? '')).toMatchObject({
      version: 1,
      prompt: PROMPTS[0],
      negative: 'blurry',
      seed: 3,
      sampler: 'ddim',
      steps: STEPS,
      eta: 0,
      guidance: 5,
      adapters: [{ file: 'sd15-micro-peft.safetensors', strength: 0.8 }],
      latents: { file: 'sd15-micro.safetensors', index: 0, noise: true },
    })
  })

  const small = { steps: 2, size: { width: 64, height: 64 } }
  const seeded = (changes: Partial<GenerateRequest>): GenerateRequest => {
    const { latents: _, ...rest } = request('sd15-micro', { ...small, eta: 1, ...changes })
    return rest
  }
  const pixels = async (made: GenerateRequest): Promise<Buffer[]> => {
    const { pictures } = await generatePictures(made, () => undefined)
    return Promise.all(pictures.map(({ path }) => sharp(path).raw().toBuffer()))
  }

  it('makes the second picture of a seed again as the first one of the next', async () => {
    const [, second] = await pixels(seeded({ prompts: ['a fox'], count: 2, seed: 7 }))
    const [alone] = await pixels(seeded({ prompts: ['a fox'], seed: 8 }))
    expect(second?.equals(alone ?? Buffer.of())).toBe(true)
  })

  it('never replaces a picture', async () => {
    const out = mkdtempSync(join(folder, 'out-'))
    await generatePictures(seeded({ prompts: ['a fox'], out }), () => undefined)
    writeFileSync(join(out, '00002-1.png'), 'mine')
    await generatePictures(seeded({ prompts: ['a fox'], out }), () => undefined)
    expect(readdirSync(out)).toEqual(['00001-1.png', '00002-1.png', '00003-1.png'])
    expect(readFileSync(join(out, '00002-1.png'), 'utf8')).toBe('mine')
  })

  it.each(['ddim', 'dpmpp', 'euler'] as const)('reports every step and writes a picture with %s', async (sampler) => {
    const steps: number[] = []
    const { pictures } = await generatePictures(seeded({ prompts: ['a fox'], sampler, eta: 0, steps: 3 }), ({ step }) => steps.push(step))
    expect([steps, pictures.length]).toEqual([[0, 1, 2, 3, 3], 1])
  })

  it('follows a template: its stages change the picture', async () => {
    const template = { source: 'hands-five-fingers', slots: {} }
    const [plain] = await pixels(seeded({ prompts: ['a wave'] }))
    const [staged] = await pixels(seeded({ prompts: ['a wave'], template }))
    expect(staged?.equals(plain ?? Buffer.of())).toBe(false)
  })

  it('says what of a long prompt is lost', async () => {
    const { notes } = await generatePictures(seeded({ prompts: ['orange '.repeat(90)] }), () => undefined)
    expect(notes).toEqual([expect.stringMatching(/^A prompt has \d+ tokens, and the model reads the first 75; lost is ".+"\.$/)])
  })
})

describe('refused before anything is computed', () => {
  const refusal = async (changes: Partial<GenerateRequest>): Promise<unknown> =>
    generatePictures(request('sd15-micro', changes), () => undefined).then(
      () => undefined,
      (error: unknown) => error,
    )

  it('latents for another number of pictures', async () => {
    expect(await refusal({ prompts: ['one'], count: 3 })).toMatchObject({ code: 'recipe.impossible', details: { key: 'count' } })
  })

  it('another number of steps than there are noises', async () => {
    expect(await refusal({ steps: 9 })).toMatchObject({ code: 'recipe.impossible', details: { key: 'steps' } })
  })

  it('a size that is not that of the latents, or does not go through the UNet', async () => {
    expect(await refusal({ size: { width: 128, height: 64 } })).toMatchObject({ code: 'recipe.impossible', details: { key: 'size' } })
    const { latents: _, ...rest } = request('sd15-micro', { size: { width: 100, height: 64 } })
    const error: unknown = await generatePictures(rest, () => undefined).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'recipe.impossible',
      details: { key: 'width' },
      nextStep: expect.stringMatching(/multiple of \d+/) as string,
    })
  })

  it.each([
    ['no latents in it', { other: float32([1], [0]) }, /no tensor named latents/],
    ['latents of another model', { latents: float32([1, 3, 8, 8], new Float32Array(192)) }, /shape 1×3×8×8/],
    ['NaN in it', { latents: float32([1, 4, 8, 8], new Float32Array(256).fill(NaN)) }, /NaN/],
    [
      'noise of another shape',
      { latents: float32([1, 4, 8, 8], new Float32Array(256)), noise: float32([1, 2, 4, 8, 8], new Float32Array(512)) },
      /noise has/,
    ],
  ])('a file of latents with %s', async (_, tensors, message) => {
    const file = join(mkdtempSync(join(folder, 'latents-')), 'latents.safetensors')
    await writeSafetensors(file, Object.entries(tensors))
    expect(await refusal({ latents: file })).toMatchObject({ code: 'latents.malformed', message: expect.stringMatching(message) as string })
  })

  it('an adapter of another family', async () => {
    const adapters = [{ path: join(GOLDEN, 'adapters', 'sdxl-micro-kohya.safetensors'), strength: 1 }]
    expect(await refusal({ adapters })).toMatchObject({ code: 'adapter.mismatch' })
  })

  it('a template, slot or eta that does not exist', async () => {
    expect(await refusal({ template: { source: 'tails', slots: {} } })).toMatchObject({
      code: 'file.missing',
      nextStep: expect.stringMatching(/faces/) as string,
    })
    expect(await refusal({ template: { source: 'faces', slots: { colour: 'red' } } })).toMatchObject({ code: 'recipe.malformed' })
    expect(await refusal({ sampler: 'dpmpp', eta: 0.5 })).toMatchObject({ code: 'recipe.impossible', details: { key: 'eta' } })
  })

  it('text encoders that do not belong to the UNet', async () => {
    const { latents: _, ...rest } = request('sdxl-micro')
    await expect(generatePictures(rest, () => undefined)).rejects.toMatchObject({ code: 'config.unsupported' })
  })
})
