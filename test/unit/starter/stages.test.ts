import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NetworkTrainer } from '../../../main/engine/network-training/network-trainer.ts'
import { WeightVector } from '../../../main/engine/network-training/weight-vector.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { openOnnxReward } from '../../../main/engine/rewards/onnx-reward.ts'
import { Session } from '../../../main/engine/runtime/session.ts'
import { autoencoderLoss } from '../../../main/engine/starter/autoencoder-loss.ts'
import { criticBatch, drawPairs } from '../../../main/engine/starter/critic-pictures.ts'
import { denoiserLoss } from '../../../main/engine/starter/denoiser-loss.ts'
import { Drawings } from '../../../main/engine/starter/drawings.ts'
import { encodeDrawings, normalised } from '../../../main/engine/starter/train-autoencoder.ts'
import { criticModel, criticParameters } from '../../../main/engine/starter/train-critic.ts'
import { float32, int64, toFloat32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { parseClipTextConfig } from '../../../native-models/checkpoint/clip-text-config.ts'
import { parseUnetConfig } from '../../../native-models/checkpoint/unet-config.ts'
import { parseVaeConfig } from '../../../native-models/checkpoint/vae-config.ts'
import { starterConfigs } from '../../../native-models/starter/configs.ts'
import { buildVaeDecoder } from '../../../native-models/vae.ts'
import { weightSource } from '../../../native-models/weights/weight-source.ts'

const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxNorm: 1, averageDecay: 0.9 }
const vae = parseVaeConfig(starterConfigs.vae, 'vae/config.json')
const drawings = Drawings.draw(new Random(1), 0, 8)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-starter-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Pictures of latents, by a decoder with these weights. */
async function decoded(weights: ReadonlyMap<string, FloatTensor>, data: Float32Array): Promise<Float32Array> {
  const batch = drawings.count
  const model = buildVaeDecoder(vae, weightSource('(none)', []), { batch, latentHeight: 8, latentWidth: 8, trainable: () => true })
  const session = await Session.create(model.graph, { device: 'cpu', threads: 1 })
  const fed = Object.fromEntries(model.parameters.map(({ name }) => [name, weights.get(name)!]))
  const { pixels } = await session.run({ ...fed, latents: float32([batch, vae.latentChannels, 8, 8], data) })
  await session.dispose()
  return toFloat32(pixels!).data
}

describe('the autoencoder', () => {
  it('has latents of mean 0 and deviation 1 once normalised, and decodes them to the same pictures', async () => {
    const weights = WeightVector.initial(autoencoderLoss(vae, 1, 64).parameters, new Random(2))
    const before = await encodeDrawings(weights.tensors, drawings)
    const tensors = await normalised(weights, drawings)
    const after = await encodeDrawings(tensors, drawings)
    for (let c = 0; c < vae.latentChannels; c++) {
      const channel = after.filter((_, i) => Math.floor(i / 64) % vae.latentChannels === c)
      const mean = channel.reduce((a, b) => a + b, 0) / channel.length
      expect(mean).toBeCloseTo(0, 3)
      expect(channel.reduce((a, b) => a + b * b, 0) / channel.length - mean * mean).toBeCloseTo(1, 2)
    }
    const [plain, scaled] = [await decoded(weights.tensors, before), await decoded(tensors, after)]
    expect(Math.max(...scaled.map((value, i) => Math.abs(value - plain[i]!)))).toBeLessThan(1e-4)
  })
})

describe('the denoiser', () => {
  it('learns a batch by heart, text encoder and all', async () => {
    const [unet, text] = [parseUnetConfig(starterConfigs.unet, 'unet'), parseClipTextConfig(starterConfigs.text_encoder, 'text')]
    const loss = denoiserLoss(unet, text, 2, 8)
    const weights = WeightVector.initial([...loss.unet, ...loss.textEncoder], new Random(3))
    const trainer = await NetworkTrainer.create(loss.graph, weights, { device: 'cpu', threads: 1, loss: 'loss', adam: ADAM })
    const random = new Random(4)
    const shape = [2, unet.inChannels, 8, 8]
    const feeds = {
      sample: random.normal('sample', [0], shape),
      target: random.normal('sample', [1], shape),
      timestep: float32([2], [100, 900]),
      input_ids: int64(
        [2, text.maxPositions],
        Array.from({ length: 2 * text.maxPositions }, (_, i) => i),
      ),
    }
    const embedding = weights.tensor('text_model.embeddings.token_embedding.weight').data.slice()
    const first = await trainer.step(feeds, 2e-3)
    for (let i = 0; i < 6; i++) await trainer.step(feeds, 2e-3)
    const last = await trainer.step(feeds, 2e-3)
    await trainer.dispose()
    expect(last.loss).toBeLessThan(0.9 * first.loss)
    expect(weights.tensor('text_model.embeddings.token_embedding.weight').data).not.toEqual(embedding)
  })
})

describe('the critic', () => {
  it('is a file of its own that opens as a reward with a gradient', async () => {
    const file = join(folder, 'critic.onnx')
    writeFileSync(file, criticModel(WeightVector.initial(criticParameters(), new Random(5)).tensors, 4))
    const reward = await openOnnxReward(
      file,
      { target: { output: 'score' } },
      { device: 'cpu', precision: 'float32', threads: 1, batch: 4, height: 64, width: 64 },
    )
    const prompts = ['a', 'b', 'c', 'd']
    const scores = await reward.evaluate(drawings.pictures([0, 1, 2, 3]), prompts)
    expect(scores.every((score) => score > 0 && score < 1)).toBe(true)
    expect(reward.gradient).toBeDefined()
    await reward.dispose()
  })

  it('is shown hands under their number, and mixtures of two as unclear', () => {
    const pairs = drawPairs(new Random(6), 20)
    // Decoded pictures are grey, so that they can be told.
    const grey = { hands: new Float32Array(pairs.hands.length).fill(0.5), mixtures: new Float32Array(pairs.hands.length).fill(0.5) }
    const { pictures, classes } = criticBatch(new Random(7), 0, 200, pairs, grey)
    expect(pictures.shape).toEqual([200, 3, 64, 64])
    const unclear = classes.filter((label) => label === 5).length / classes.length
    expect(unclear).toBeGreaterThan(0.2)
    expect(unclear).toBeLessThan(0.5)
    expect(new Set(classes).size).toBe(6)
  })
})
