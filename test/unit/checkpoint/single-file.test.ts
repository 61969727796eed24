import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { float32, fromBytes, int64, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { allEntries, type WeightSource } from '../../../native-models/weights/weight-source.ts'
import { expectRefusal, refusal, temporaryFolder } from '../weights/crafted.ts'
import { openClipName, originalUnetName, originalVaeName, originalVaeShape } from './original-layout.ts'

const FOLDER = join(import.meta.dirname, '../../golden/sd15-micro')
const NUMBERING = { layersPerBlock: 1, upAttention: [false, true, true, true] }

let folder: Checkpoint
/** The micro model in the original layout. */
let original: (readonly [string, Tensor])[]
/** What no shape tells of a model of this unusual size. */
let settings: Record<string, string>

beforeAll(async () => {
  folder = await openCheckpoint(FOLDER)
  const { unet, vae, textEncoder } = folder.components
  original = [
    ...(await renamed(unet!.weights, (name) => `model.diffusion_model.${originalUnetName(name, NUMBERING)}`)),
    ...(await renamed(vae!.weights, (name) => `first_stage_model.${originalVaeName(name, 4)}`)),
    ...(await renamed(textEncoder!.weights, (name) => `cond_stage_model.transformer.${name}`)),
  ].map(([name, tensor]) => [name, { ...tensor, shape: originalVaeShape(name, tensor.shape) }])
  settings = {
    'halfstep.vae_config': JSON.stringify({ norm_num_groups: 16 }),
    'halfstep.text_encoder_config': JSON.stringify({ num_attention_heads: 4, eos_token_id: 1023 }),
  }
})

async function renamed(source: WeightSource, rename: (name: string) => string): Promise<[string, Tensor][]> {
  return await Promise.all(
    allEntries(source).map(async (entry): Promise<[string, Tensor]> => [rename(entry.name), await readWeight(entry)]),
  )
}

async function written(tensors: readonly (readonly [string, Tensor])[], metadata: Record<string, string> = {}): Promise<string> {
  const path = join(await temporaryFolder(), 'model.safetensors')
  await writeSafetensors(path, tensors, metadata)
  return path
}

/** Checks that two sources hold the same names, shapes and bytes. */
async function expectSameWeights(actual: WeightSource, expected: WeightSource): Promise<void> {
  expect(actual.names().toSorted()).toEqual(expected.names().toSorted())
  for (const entry of allEntries(expected)) {
    expect(await readWeight(actual.find(entry.name)!)).toEqual(await readWeight(entry))
  }
}

test('gives the same networks as the diffusers folder it was made from', async () => {
  const file = await openCheckpoint(await written(original, settings))
  expect(file).toMatchObject({ layout: 'single-file', family: 'sd1', predictionType: 'epsilon' })
  for (const name of ['unet', 'vae', 'textEncoder'] as const) {
    await expectSameWeights(file.components[name]!.weights, folder.components[name]!.weights)
  }
  const { sampleSize, ...unetConfig } = folder.components.unet!.config
  expect(sampleSize).toEqual([16, 16])
  expect(file.components.unet!.config).toEqual(unetConfig)
  expect(file.components.vae!.config).toEqual(folder.components.vae!.config)
  expect(file.components.textEncoder!.config).toEqual(folder.components.textEncoder!.config)
  expect(file.scheduler).toEqual(folder.scheduler)
  expect(file.problems).toEqual([expect.stringContaining('UNet'), expect.stringContaining('knows 1024 tokens')])
})

test('takes the standard of the family for what the shapes do not tell, and says so', async () => {
  const file = await openCheckpoint(await written(original))
  expect(file.components.vae!.config.normGroups).toBe(32)
  expect(file.components.textEncoder!.config).toMatchObject({ heads: 1, eosTokenId: 2, hiddenAct: 'quick_gelu' })
  expect(file.problems).toHaveLength(4)
  expect(file.problems.join(' ')).toMatch(/8 attention heads.*32 norm groups.*text encoder.*VAE|text encoder.*UNet.*VAE/)
})

test('maps the weights where they lie, without copying', async () => {
  const path = await written(original)
  const { components } = await openCheckpoint(path)
  const all = [components.unet!, components.vae!, components.textEncoder!].flatMap(({ weights }) => allEntries(weights))
  expect(new Set(all.map(({ file }) => file)).size).toBe(1)
  const bytes = await readFile(path)
  const { byteOffset, byteLength } = components.unet!.weights.find('conv_in.bias')!
  const expected = await readWeight(folder.components.unet!.weights.find('conv_in.bias')!)
  expect(new Float32Array(Uint8Array.from(bytes.subarray(byteOffset, byteOffset + byteLength)).buffer)).toEqual(expected.data)
})

test('reads text encoders saved without the prefix text_model, and ignores buffers', async () => {
  const tensors = original.map(([name, tensor]) => [name.replace('.text_model.', '.'), tensor] as const)
  const buffer = ['cond_stage_model.transformer.embeddings.position_ids', int64([1, 2], [0, 1])] as const
  const file = await openCheckpoint(await written([...tensors, buffer], settings))
  await expectSameWeights(file.components.textEncoder!.weights, folder.components.textEncoder!.weights)
})

/** The micro text encoder as OpenCLIP stores it: q, k and v fused, the projection applied from the right. */
async function asOpenClip(prefix: string): Promise<(readonly [string, Tensor])[]> {
  const source = folder.components.textEncoder!.weights
  const weights = await renamed(source, (name) => name)
  const byName = new Map(weights)
  const simple = weights.flatMap(([name, tensor]) => {
    const openName = openClipName(name)
    return openName === undefined ? [] : [[prefix + openName, tensor] as const]
  })
  const fused = [0, 1].flatMap((layer) =>
    (['weight', 'bias'] as const).map((kind) => {
      const parts = ['q', 'k', 'v'].map((part) => byName.get(`text_model.encoder.layers.${layer}.self_attn.${part}_proj.${kind}`)!)
      const data = Float32Array.from(parts.flatMap((part) => [...(part.data as Float32Array)]))
      return [`${prefix}transformer.resblocks.${layer}.attn.in_proj_${kind}`, float32([96, ...parts[0]!.shape.slice(1)], data)] as const
    }),
  )
  return [
    ...simple,
    ...fused,
    [
      `${prefix}text_projection`,
      float32(
        [32, 2],
        Float32Array.from({ length: 64 }, (_, i) => i),
      ),
    ],
    [`${prefix}logit_scale`, float32([], [1])],
  ]
}

const withoutText = () => original.filter(([name]) => !name.startsWith('cond_stage_model.'))

/** The OpenCLIP encoder of SD 2.x with this many layers; those after the second repeat it. */
async function sd2WithLayers(layers: number): Promise<(readonly [string, Tensor])[]> {
  const encoder = await asOpenClip('cond_stage_model.model.')
  const layer = encoder.filter(([name]) => name.includes('.resblocks.1.'))
  const more = Array.from({ length: layers - 2 }, (_, i) =>
    layer.map(([name, tensor]) => [name.replace('.1.', `.${i + 2}.`), tensor] as const),
  )
  return [...withoutText(), ...encoder, ...more.flat()]
}

test('splits the fused attention of an OpenCLIP encoder by byte ranges, and leaves out the layer SD 2.x never runs', async () => {
  const file = await openCheckpoint(await written(await sd2WithLayers(3)))
  expect(file.family).toBe('sd2')
  expect(file.components.textEncoder!.config).toMatchObject({ hiddenAct: 'gelu', layers: 2, withProjection: false, eosTokenId: 2 })
  await expectSameWeights(file.components.textEncoder!.weights, folder.components.textEncoder!.weights)
  expect(file.problems.join(' ')).toContain('3 layers: all but the last are used')
})

test('uses 23 layers of an OpenCLIP encoder, whether or not the file still has the 24th', async () => {
  for (const layers of [23, 24]) {
    const file = await openCheckpoint(await written(await sd2WithLayers(layers)))
    const { config, weights } = file.components.textEncoder!
    expect(config.layers).toBe(23)
    expect(weights.find('text_model.encoder.layers.22.layer_norm1.weight')).toBeDefined()
    expect(weights.find('text_model.encoder.layers.23.layer_norm1.weight')).toBeUndefined()
    expect(file.problems.join(' ')).not.toContain('layers')
  }
})

test('uses as many layers of a text encoder as the metadata states', async () => {
  const stated = { 'halfstep.text_encoder_config': '{"num_hidden_layers":1}' }
  const { config, weights } = (await openCheckpoint(await written(await sd2WithLayers(2), stated))).components.textEncoder!
  expect(config.layers).toBe(1)
  expect(weights.names().some((name) => name.includes('.layers.1.'))).toBe(false)
})

test('finds both text encoders of SDXL, and its projection stored from the right', async () => {
  const first = original.flatMap(([name, tensor]) =>
    name.startsWith('cond_stage_model.') ? [[name.replace('cond_stage_model', 'conditioner.embedders.0'), tensor] as const] : [],
  )
  // Pooled text of 2 numbers and six sizes as sinusoids of 8.
  const embedding = ['0.weight', '0.bias', '2.weight', '2.bias'].map((part) => {
    const shape = part === '0.weight' ? [128, 50] : part === '2.weight' ? [128, 128] : [128]
    return [
      `model.diffusion_model.label_emb.0.${part}`,
      fromBytes('float32', shape, new Uint8Array(4 * shape.reduce((a, b) => a * b))),
    ] as const
  })
  const file = await openCheckpoint(
    await written([...withoutText(), ...first, ...embedding, ...(await asOpenClip('conditioner.embedders.1.model.'))]),
  )
  const { unet, textEncoder, textEncoder2, vae } = file.components
  expect(file).toMatchObject({ family: 'sdxl', predictionType: 'epsilon' })
  expect(unet!.config.addition).toEqual({ timeEmbedDim: 8, inputDim: 50 })
  expect(unet!.weights.find('add_embedding.linear_1.weight')).toMatchObject({ shape: [128, 50] })
  expect(vae!.config.scalingFactor).toBe(0.13025)
  expect(textEncoder!.config.withProjection).toBe(false)
  expect(textEncoder2!.config).toMatchObject({ withProjection: true, projectionDim: 2, hiddenAct: 'gelu' })
  const projection = await readWeight(textEncoder2!.weights.find('text_projection.weight')!)
  expect(projection.shape).toEqual([2, 32])
  expect([...(projection.data as Float32Array)].slice(0, 3)).toEqual([0, 2, 4])
})

test('takes the prediction type from the marker, the metadata, and else from the rule of diffusers', async () => {
  const open = async (tensors: readonly (readonly [string, Tensor])[], metadata = {}) =>
    await openCheckpoint(await written(tensors, metadata))
  expect(await open([...original, ['v_pred', float32([0], [])]])).toMatchObject({ predictionType: 'v_prediction' })
  expect(await open(original, { 'modelspec.prediction_type': 'v' })).toMatchObject({ predictionType: 'v_prediction' })
  expect((await open([...original, ['ztsnr', float32([0], [])]])).scheduler!.rescaleBetasZeroSnr).toBe(true)

  const sd2 = [...withoutText(), ...(await asOpenClip('cond_stage_model.model.'))]
  const assumed = await open(sd2)
  expect(assumed).toMatchObject({ family: 'sd2', predictionType: 'v_prediction', scheduler: { predictionType: 'v_prediction' } })
  expect(assumed.problems.join(' ')).toContain('v_prediction is assumed')
  expect(await open([...sd2, ['global_step', int64([], [875_000])]])).toMatchObject({ predictionType: 'epsilon' })
  expect(await open(sd2, { 'modelspec.prediction_type': 'epsilon' })).toMatchObject({ predictionType: 'epsilon' })
  const stated = { 'halfstep.scheduler_config': '{"prediction_type":"epsilon"}' }
  expect((await open(sd2, stated)).problems.join(' ')).not.toContain('assumed, as diffusers')
})

test('keeps the extra input channels of an inpainting model', async () => {
  const inpainting = original.map(([name, tensor]) =>
    name.endsWith('input_blocks.0.0.weight')
      ? ([name, float32([32, 9, 3, 3], new Float32Array(32 * 81))] as const)
      : ([name, tensor] as const),
  )
  const file = await openCheckpoint(await written(inpainting, settings))
  expect(file.components.unet!.config).toMatchObject({ inChannels: 9, outChannels: 4 })
})

test('opens a file that holds a part of a model', async () => {
  const file = await openCheckpoint(
    await written(
      original.filter(([name]) => name.startsWith('first_stage_model.')),
      settings,
    ),
  )
  expect(Object.keys(file.components)).toEqual(['vae'])
})

test('refuses other kinds of files, saying what they are', async () => {
  const kinds: Record<string, string> = {
    'lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight': 'a LoRA',
    'unet.down_blocks.0.attentions.0.to_q.lora_A.weight': 'a LoRA',
    'base_model.model.down_blocks.0.to_q.lora_B.weight': 'a LoRA',
    'model.diffusion_model.double_blocks.0.img_attn.qkv.weight': 'diffusion transformer',
    'control_model.time_embed.0.weight': 'ControlNet',
    'down_blocks.0.resnets.0.conv1.weight': 'one network',
    'emb_params': 'textual-inversion',
    'anything': 'no Stable Diffusion',
  }
  for (const [name, what] of Object.entries(kinds)) {
    await expectRefusal(openCheckpoint(await written([[name, float32([1], [1])]])), 'model.unknown-family', 'model.safetensors', what)
  }
})

test('refuses a UNet whose blocks are arranged otherwise', async () => {
  const without = (pattern: RegExp) => original.filter(([name]) => !pattern.test(name))
  const broken = [
    without(/output_blocks\.7\./),
    without(/output_blocks\.2\.1\./).filter(([name]) => !name.includes('input_blocks.2.0.op')),
    without(/middle_block\.2\./),
    without(/output_blocks\.3\.1\./),
    without(/(input|output)_blocks/),
    [...original, ['model.diffusion_model.input_blocks.1.0.time_stack.conv.weight', float32([1], [1])] as const],
    [...original, ['model.diffusion_model.input_blocks.1.1.transformer_blocks.0.fuser.linear.weight', float32([1], [1])] as const],
  ]
  for (const tensors of broken) await expectRefusal(openCheckpoint(await written(tensors)), 'model.unknown-family', 'model.safetensors')
})

test('refuses models of other noise formulations and unCLIP', async () => {
  const edm = [...original, ['edm_mean', float32([1], [0])] as const]
  await expectRefusal(openCheckpoint(await written(edm)), 'config.unsupported', 'edm_mean')
  const unclip = [...original, ['model.diffusion_model.label_emb.0.0.weight', float32([128, 1], new Float32Array(128))] as const]
  await expectRefusal(openCheckpoint(await written(unclip)), 'config.unsupported', 'class_embed_type')
})

test('refuses damaged weights by name, where a config is read off them', async () => {
  const replaced = (end: string, tensor: Tensor) => original.map(([name, old]) => [name, name.endsWith(end) ? tensor : old] as const)
  const flat = replaced('input_blocks.0.0.weight', float32([4], [1, 2, 3, 4]))
  await expectRefusal(openCheckpoint(await written(flat)), 'weights.wrong-shape', 'input_blocks.0.0.weight')
  const absent = original.filter(([name]) => !name.endsWith('token_embedding.weight'))
  await expectRefusal(openCheckpoint(await written(absent)), 'weights.missing-tensor', 'token_embedding.weight')
  const openClip = (await asOpenClip('cond_stage_model.model.')).map(([name, tensor]) =>
    name.endsWith('in_proj_bias') ? ([name, float32([2], [1, 2])] as const) : ([name, tensor] as const),
  )
  await expectRefusal(openCheckpoint(await written(openClip)), 'weights.wrong-shape', 'in_proj_bias')
})

test('refuses metadata that is not the JSON it should be', async () => {
  await expectRefusal(openCheckpoint(await written(original, { 'halfstep.unet_config': '[' })), 'config.malformed', 'halfstep.unet_config')
  const wrong = await refusal(openCheckpoint(await written(original, { 'halfstep.unet_config': '{"act_fn":"gelu"}' })))
  expect(wrong).toMatchObject({ code: 'config.unsupported', details: { key: 'act_fn' } })
})
