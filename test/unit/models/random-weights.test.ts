import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { int64, toFloat32 } from '../../../main/engine/tensor/tensor.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { buildClipText } from '../../../native-models/clip-text.ts'
import { writeRandomModel, writeRandomWeights } from '../../../native-models/random-weights.ts'
import { standardConfigs, type FolderConfigs } from '../../../native-models/standard-configs.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors } from '../../../native-models/weights/safetensors.ts'
import { buildUnet } from '../../../native-models/unet.ts'
import { buildVaeDecoder } from '../../../native-models/vae.ts'
import { compute, noise } from './fixtures.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'halfstep-random-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A standard model, shrunk. */
function shrunk({ unet, text_encoder, vae, scheduler }: FolderConfigs): FolderConfigs {
  return {
    unet: { ...unet, block_out_channels: [16, 16, 32, 32], norm_num_groups: 8, attention_head_dim: 2, cross_attention_dim: 24 },
    text_encoder: { ...text_encoder, hidden_size: 24, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2 },
    vae: { ...vae, block_out_channels: [8, 8, 8, 16], norm_num_groups: 4 },
    scheduler: scheduler!,
  }
}

const finite = (data: Iterable<number | bigint>): boolean => [...data].every((x) => Number.isFinite(Number(x)))

describe('a random model', () => {
  it('opens like any checkpoint and computes finite numbers', async () => {
    await writeRandomModel(folder, shrunk(standardConfigs.sd21), { dtype: 'float16' })
    const { components, family, predictionType, problems } = await openCheckpoint(folder)
    expect({ family, predictionType, problems }).toEqual({ family: 'sd2', predictionType: 'v_prediction', problems: [] })
    const { unet, textEncoder, vae } = components
    const text = buildClipText(textEncoder!.config, textEncoder!.weights, { batch: 1 })
    const ids = int64([1, 77], new Array<number>(77).fill(5))
    const { last_hidden_state: context } = await compute(text.graph, { input_ids: ids })
    const sample = noise([1, 4, 8, 8])
    const size = { batch: 1, latentHeight: 8, latentWidth: 8 }
    const model = buildUnet(unet!.config, unet!.weights, { ...size, textLength: 77 })
    const { output } = await compute(model.graph, { sample, timestep: noise([1]), encoder_hidden_states: context! })
    const decoder = buildVaeDecoder(vae!.config, vae!.weights, size)
    const { pixels } = await compute(decoder.graph, { latents: output! })
    expect([context, output, pixels].every((tensor) => finite(tensor!.data))).toBe(true)
  })

  it('may be a single component', async () => {
    await writeRandomModel(folder, shrunk(standardConfigs.sd15), { dtype: 'float32', components: ['unet'] })
    expect(Object.keys((await openCheckpoint(folder)).components)).toEqual(['unet'])
  })

  it('of an unknown component is refused', async () => {
    const written = writeRandomModel(folder, { prior: {} }, { dtype: 'float32' })
    await expect(written).rejects.toThrow('No network is known for the component prior')
  })
})

describe('random weights', () => {
  const weights = [
    { name: 'block.weight', shape: [64, 128, 3, 3] },
    { name: 'norm.weight', shape: [4096] },
    { name: 'norm.bias', shape: [4096] },
    { name: 'embeddings.token_embedding.weight', shape: [1000, 64] },
    // More than one turn of the pool.
    { name: 'large.weight', shape: [1100, 1000] },
  ]

  it('spread by 1/√fan-in, norms around 1, embeddings and biases little', async () => {
    const file = join(folder, 'w.safetensors')
    await writeRandomWeights(file, weights, { dtype: 'float32' })
    const source = await openSafetensors(file)
    const statistics = await Promise.all(
      weights.map(async ({ name }) => {
        const { data } = toFloat32(await readWeight(source.find(name)!))
        const mean = data.reduce((a, b) => a + b, 0) / data.length
        return { mean, deviation: Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length) }
      }),
    )
    const expected = [[0, 1 / Math.sqrt(1152)], [1, 0.02], [0, 0.02], [0, 0.02], [0, 1 / Math.sqrt(1000)]]
    statistics.forEach(({ mean, deviation }, i) => {
      expect(mean).toBeCloseTo(expected[i]![0]!, 2)
      expect(deviation / expected[i]![1]!).toBeCloseTo(1, 1)
    })
  })

  it('are the same for the same seed only', async () => {
    const bytes = async (seed: number): Promise<Buffer> => {
      const file = join(folder, `${seed}.safetensors`)
      await writeRandomWeights(file, weights.slice(1, 3), { dtype: 'float16', seed })
      return await readFile(file)
    }
    const first = await bytes(1)
    expect((await bytes(1)).equals(first)).toBe(true)
    expect((await bytes(2)).equals(first)).toBe(false)
  })
})
