import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generatePictures } from '../../../main/engine/generate/generate-pictures.ts'
import { inspectModel } from '../../../main/engine/inspect/inspect-model.ts'
import { float32, zeros, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { UNET_CHANNELS } from '../../../native-models/starter/configs.ts'
import { writeStarter, type StarterComponent } from '../../../native-models/starter/write-starter.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { requireWeight } from '../../../native-models/weights/weight-source.ts'
import { randomStarterWeights } from './random-starter.ts'

const weights = randomStarterWeights()
const channels = UNET_CHANNELS[0]!

let folder: string
let model: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'halfstep-starter-'))
  model = join(folder, 'starter')
})
afterEach(() => rm(folder, { recursive: true }))

/** The weights with one of them changed, or left out. */
function changed(component: StarterComponent, name: string, tensor?: FloatTensor) {
  const others = new Map(weights[component])
  if (tensor === undefined) others.delete(name)
  else others.set(name, tensor)
  return { ...weights, [component]: others }
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(model, { recursive: true })).sort()) {
    hash.update(name)
    if (/\.\w+$/.test(name)) hash.update(await readFile(join(model, name)))
  }
  return hash.digest('hex')
}

describe('the starter model on disk', () => {
  it('opens like any checkpoint, with nothing missing, left over or broken', async () => {
    await writeStarter(model, weights)
    const { family, predictionType, latentSize, crossAttentionWidth, components, problems, faults } = await inspectModel(model)
    expect({ family, predictionType, latentSize, crossAttentionWidth, problems, faults }).toEqual({
      family: 'sd1', predictionType: 'v_prediction', latentSize: [8, 8, 8], crossAttentionWidth: 64, problems: [], faults: [],
    })
    expect(components.map(({ name, precision }) => [name, Object.keys(precision)])).toEqual([
      ['unet', ['float16']], ['textEncoder', ['float16']], ['vae', ['float16']],
    ])
  })

  it('holds the given numbers, rounded to float16', async () => {
    await writeStarter(model, weights)
    const { unet } = (await openCheckpoint(model)).components
    const { shape, data } = weights.unet.get('conv_in.weight')!
    const stored = await readWeight(requireWeight(unet!.weights, 'conv_in.weight', shape))
    expect([...stored.data]).toEqual([...data].map(Math.f16round))
  })

  it('draws pictures of 64×64, also of prompts longer than its 32 positions', async () => {
    await writeStarter(model, weights)
    const { pictures, notes } = await generatePictures(
      {
        model, prompts: ['a left hand, five fingers', 'a hand, '.repeat(20)], adapters: [], seed: 1, sampler: 'ddim', steps: 2, guidance: 3,
        eta: 1, device: 'cpu', precision: 'float32', out: join(folder, 'pictures'),
      },
      () => undefined,
    )
    expect(pictures).toHaveLength(2)
    expect(notes).toEqual([expect.stringMatching(/^A prompt has 60 tokens, and the model reads the first 30; lost is "/)])
  })

  it('has the same bytes every time, whatever the order of the weights', async () => {
    await writeStarter(model, weights)
    const first = await fingerprint()
    await writeStarter(model, { ...weights, unet: new Map([...weights.unet].reverse()) })
    expect(await fingerprint()).toBe(first)
    expect(await readdir(folder)).toEqual(['starter'])
  })
})

describe('writing the starter model is refused, and the folder left as it was,', () => {
  const bias = (value: number): FloatTensor => float32([channels], new Array<number>(channels).fill(0).with(3, value))

  it.each([NaN, Infinity, -Infinity, 65_520, -1e6])('for %d in a weight', async (value) => {
    await writeStarter(model, weights)
    const before = await fingerprint()
    await expect(writeStarter(model, changed('unet', 'conv_in.bias', bias(value)))).rejects.toMatchObject({
      code: 'weights.not-finite',
      message: `The starter model cannot be written: the tensor conv_in.bias of its unet holds ${value}, which float16 has no number for.`,
    })
    expect(await fingerprint()).toBe(before)
    expect(await readdir(folder)).toEqual(['starter'])
  })

  it('but not for the largest number that float16 still rounds down', async () => {
    await writeStarter(model, changed('unet', 'conv_in.bias', bias(65_519)))
    expect((await inspectModel(model)).faults).toEqual([])
  })

  it('for a missing weight', async () => {
    await expect(writeStarter(model, changed('vae', 'quant_conv.bias'))).rejects.toMatchObject({
      code: 'weights.missing-tensor', message: expect.stringContaining('the tensor quant_conv.bias of its vae is missing') as string,
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('for a weight of another shape', async () => {
    await expect(writeStarter(model, changed('unet', 'conv_in.bias', zeros('float32', [7])))).rejects.toMatchObject({
      code: 'weights.wrong-shape', message: expect.stringContaining(`has the shape 7 instead of ${channels}.`) as string,
    })
  })

  it('for a weight that its networks do not have', async () => {
    const added = changed('text_encoder', 'text_projection.weight', zeros('float32', [64, 64]))
    await expect(writeStarter(model, added)).rejects.toMatchObject({
      code: 'weights.malformed',
      message: expect.stringContaining('text_projection.weight of its text_encoder is none of its network') as string,
    })
  })

  it('over a folder that is no model', async () => {
    await mkdir(model)
    await writeFile(join(model, 'thesis.txt'), 'years of work')
    await expect(writeStarter(model, weights)).rejects.toMatchObject({ code: 'file.exists' })
    expect(await readdir(model)).toEqual(['thesis.txt'])
  })

  it('when the disk does not take it', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(writeStarter(join(folder, 'file', 'starter'), weights)).rejects.toMatchObject({ code: 'file.unwritable' })
  })
})
